SELECT id AS person_id, username, display_name, first_name, last_name, avatar_id FROM people WHERE id = $1
