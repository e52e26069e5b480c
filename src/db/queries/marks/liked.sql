WITH marked AS (SELECT media_id, created_at FROM media_likes WHERE person_id = $1)
