SELECT cover_type AS type FROM parties WHERE id = $1 AND cover_id = $2
