DELETE FROM media_likes WHERE media_id = $1 AND person_id = $2
