INSERT INTO reactions (message_id, person_id, emoji) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
