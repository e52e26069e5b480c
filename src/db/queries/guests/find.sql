SELECT party_id, created_at, id AS person_id, username, display_name, first_name, last_name
FROM guests
JOIN people ON people.id = person_id
WHERE person_id = $1
