UPDATE jobs
SET lease_token = NULL, run_at = now() + make_interval(secs => $3), attempts = attempts - 1
WHERE id = $1 AND lease_token = $2
