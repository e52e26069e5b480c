UPDATE parties SET cancel_reason = $2 WHERE id = $1
