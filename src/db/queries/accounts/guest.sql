-- Who was banned is nobody here any more
SELECT people.id AS person_id,
       people.username,
       people.display_name,
       people.first_name,
       people.last_name,
       people.avatar_id,
       people.created_at,
       guests.party_id
FROM people
JOIN guests ON guests.person_id = people.id
WHERE people.id = $1
AND NOT EXISTS (
    SELECT FROM attendances a
    WHERE a.party_id = guests.party_id AND a.person_id = people.id AND a.state = 'banned'
)
