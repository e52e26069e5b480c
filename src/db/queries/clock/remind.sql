WITH due AS (
    SELECT id
    FROM parties
    WHERE status = 'PLANNED' AND reminded_at IS NULL AND starts_at <= now() + interval '1 hour'
    ORDER BY starts_at
    LIMIT $1
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE parties
SET reminded_at = now()
FROM due
WHERE parties.id = due.id
RETURNING parties.id
