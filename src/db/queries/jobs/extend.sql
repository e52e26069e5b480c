UPDATE jobs SET run_at = now() + make_interval(secs => $3) WHERE id = $1 AND lease_token = $2
