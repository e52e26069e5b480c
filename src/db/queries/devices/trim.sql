DELETE FROM devices
WHERE id IN (SELECT id FROM devices WHERE person_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)
