UPDATE displays SET revoked_at = now() WHERE id = $2 AND party_id = $1
