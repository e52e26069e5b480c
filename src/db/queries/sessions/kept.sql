SELECT hash FROM refresh_tokens WHERE family_id = $1 AND hash = ANY ($2)
