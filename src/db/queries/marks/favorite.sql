INSERT INTO media_favorites (media_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
