UPDATE jobs
SET lease_token = NULL, buried_at = now(), last_error = left($3, 500)
WHERE id = $1 AND lease_token = $2
