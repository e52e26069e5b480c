UPDATE idempotency_keys SET answer = $3 WHERE caller = $1 AND key = $2
