DELETE FROM media_favorites WHERE media_id = $1 AND person_id = $2
