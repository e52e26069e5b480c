SELECT people.id AS person_id, username, display_name, first_name, last_name, avatar_id, followed_at
FROM follows
JOIN people ON people.id = follower_id
WHERE followed_id = $1
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (followed_at, follower_id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY followed_at DESC, follower_id DESC
LIMIT $4
