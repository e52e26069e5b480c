SELECT
    c.id, c.media_id, c.content, c.created_at, c.seq,
    u.id AS person_id, u.username, u.display_name, u.first_name, u.last_name, u.avatar_id
FROM comments c
JOIN people u ON u.id = c.author_id
WHERE c.id = ANY ($1)
