INSERT INTO displays (id, party_id, created_by, name) VALUES ($1, $2, $3, $4)
RETURNING id, name, created_at
