-- Yesterday's key is a new one
INSERT INTO idempotency_keys AS known (caller, key, digest)
VALUES ($1, $2, $3)
ON CONFLICT (caller, key) DO UPDATE
SET digest = excluded.digest, answer = NULL, created_at = now()
WHERE known.created_at < now() - interval '24 hours'
