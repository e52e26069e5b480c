DELETE FROM devices WHERE id = $1 AND person_id = $2
