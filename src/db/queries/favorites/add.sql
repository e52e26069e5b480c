INSERT INTO party_favorites (party_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
