-- Nobody waits for rows that another worker is taking
WITH due AS (
    SELECT id, run_at
    FROM jobs
    WHERE kind = ANY($1) AND run_at <= now() AND buried_at IS NULL
    ORDER BY run_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs
SET lease_token = gen_random_uuid(), run_at = now() + make_interval(secs => $3), attempts = attempts + 1
FROM due
WHERE jobs.id = due.id
RETURNING jobs.id, kind, payload, lease_token, attempts,
    extract(epoch FROM now() - due.run_at)::float8 AS waited
