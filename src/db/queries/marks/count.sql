UPDATE media SET likes_count = likes_count + $2 WHERE id = $1
