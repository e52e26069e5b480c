SELECT revoked_at IS NULL AS is_living FROM displays WHERE id = $2 AND party_id = $1
