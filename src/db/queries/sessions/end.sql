UPDATE token_families SET revoked_at = now()
WHERE id = (SELECT family_id FROM refresh_tokens WHERE hash = $1) AND revoked_at IS NULL
RETURNING person_id
