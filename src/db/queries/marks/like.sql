INSERT INTO media_likes (media_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
