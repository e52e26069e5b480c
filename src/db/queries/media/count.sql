UPDATE parties
SET media_count = greatest(media_count + $2, 0), media_bytes = greatest(media_bytes + $3, 0)
WHERE id = $1
RETURNING media_bytes
