UPDATE token_families SET revoked_at = now() WHERE id = $1
