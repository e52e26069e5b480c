INSERT INTO messages (id, party_id, sender_id, type, content, media_id, reply_to_id, client_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (party_id, sender_id, client_id) WHERE client_id IS NOT NULL DO NOTHING
