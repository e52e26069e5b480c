UPDATE media SET caption = $2, mood = $3, tags = $4 WHERE id = $1
