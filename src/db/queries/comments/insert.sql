INSERT INTO comments (id, media_id, author_id, content) VALUES ($1, $2, $3, $4)
