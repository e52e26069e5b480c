UPDATE parties SET cover_id = $2, cover_type = $3, updated_at = now() WHERE id = $1
