UPDATE parties SET deleted_at = coalesce(deleted_at, now()) WHERE id = $1
