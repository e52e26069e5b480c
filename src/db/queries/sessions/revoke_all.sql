UPDATE token_families SET revoked_at = now() WHERE person_id = $1 AND revoked_at IS NULL
