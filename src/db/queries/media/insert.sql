INSERT INTO media (id, party_id, uploader_id, type, status, mood, caption, tags, content_type, size, sha256)
VALUES ($1, $2, $3, $4, 'PROCESSING', $5, $6, $7, $8, $9, $10)
ON CONFLICT (party_id, uploader_id, sha256) WHERE status <> 'FAILED' DO NOTHING
