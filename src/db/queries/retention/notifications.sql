DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE party_id = $1 LIMIT $2)
