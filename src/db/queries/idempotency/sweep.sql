DELETE FROM idempotency_keys
WHERE (caller, key) IN (
    SELECT caller, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT 1000
)
