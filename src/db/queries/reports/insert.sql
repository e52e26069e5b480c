INSERT INTO reports (media_id, reporter_id, reason) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
