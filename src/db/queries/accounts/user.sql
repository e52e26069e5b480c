SELECT people.id AS person_id,
       people.username,
       people.display_name,
       people.first_name,
       people.last_name,
       people.bio,
       people.created_at,
       accounts.email,
       accounts.notifications_enabled
FROM people
JOIN accounts ON accounts.person_id = people.id
WHERE people.id = $1
