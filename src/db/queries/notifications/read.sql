UPDATE notifications SET read_at = coalesce(read_at, now()) WHERE id = $1 AND person_id = $2
