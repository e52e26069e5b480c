SELECT id FROM messages WHERE id = $1 AND party_id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE
