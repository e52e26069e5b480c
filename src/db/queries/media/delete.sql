DELETE FROM media WHERE id = $1
RETURNING party_id, status, size
