UPDATE media SET comments_count = comments_count + $2 WHERE id = $1
