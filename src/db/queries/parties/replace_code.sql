UPDATE parties SET code_hmac = $2, code_sealed = $3, updated_at = now() WHERE id = $1
