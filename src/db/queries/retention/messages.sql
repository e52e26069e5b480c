DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE party_id = $1 LIMIT $2)
