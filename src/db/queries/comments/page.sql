-- The party's number is read in the same statement, so that the page can be followed from there without a gap.
SELECT
    c.id, c.media_id, c.content, c.created_at, c.seq,
    u.id AS person_id, u.username, u.display_name, u.first_name, u.last_name, u.avatar_id,
    p.seq AS party_seq
FROM media m
JOIN parties p ON p.id = m.party_id
LEFT JOIN LATERAL (
    SELECT * FROM comments
    WHERE media_id = m.id
      -- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
      AND seq < coalesce($2::bigint, 9223372036854775807)
    ORDER BY seq DESC
    LIMIT $3
) c ON true
LEFT JOIN people u ON u.id = c.author_id
WHERE m.id = $1
ORDER BY c.seq DESC
