SELECT avatar_type AS type FROM people WHERE id = $1 AND avatar_id = $2
