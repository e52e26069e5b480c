WITH marked AS (SELECT media_id, created_at FROM media_favorites WHERE person_id = $1)
