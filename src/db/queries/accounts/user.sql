-- A user, and whether person $2 follows them
SELECT people.id AS person_id,
       people.username,
       people.display_name,
       people.first_name,
       people.last_name,
       people.avatar_id,
       people.bio,
       people.interests,
       people.followers_count,
       people.following_count,
       people.created_at,
       accounts.email,
       accounts.notifications_enabled,
       EXISTS (SELECT FROM follows WHERE follower_id = $2 AND followed_id = people.id) AS is_followed
FROM people
JOIN accounts ON accounts.person_id = people.id
WHERE people.id = $1
