UPDATE jobs
SET lease_token = NULL, run_at = now() + make_interval(secs => $3), last_error = left($4, 500)
WHERE id = $1 AND lease_token = $2
