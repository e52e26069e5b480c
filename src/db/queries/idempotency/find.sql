SELECT digest, answer FROM idempotency_keys WHERE caller = $1 AND key = $2
