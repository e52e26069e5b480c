UPDATE people SET avatar_id = $2, avatar_type = $3, updated_at = now() WHERE id = $1
