-- The party's number is read in the same statement, so that the page can be followed from there without a gap.
SELECT
    m.id, m.party_id, m.type, m.content, m.media_id, m.reply_to_id, m.created_at, m.edited_at, m.deleted_at, m.seq,
    u.id AS person_id, u.username, u.display_name, u.first_name, u.last_name, u.avatar_id,
    p.seq AS party_seq
FROM parties p
LEFT JOIN LATERAL (
    SELECT * FROM messages
    WHERE party_id = p.id
      -- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
      AND seq < coalesce($2::bigint, 9223372036854775807)
    ORDER BY seq DESC
    LIMIT $3
) m ON true
LEFT JOIN people u ON u.id = m.sender_id
WHERE p.id = $1
ORDER BY m.seq DESC
