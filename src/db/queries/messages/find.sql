SELECT
    m.id, m.party_id, m.type, m.content, m.media_id, m.reply_to_id, m.created_at, m.edited_at, m.deleted_at, m.seq,
    u.id AS person_id, u.username, u.display_name, u.first_name, u.last_name, u.avatar_id
FROM messages m
JOIN people u ON u.id = m.sender_id
WHERE m.id = ANY ($1)
