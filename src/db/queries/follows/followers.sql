SELECT people.id AS person_id, username, display_name, first_name, last_name, avatar_id, followed_at
FROM follows
JOIN people ON people.id = follower_id
WHERE followed_id = $1 AND ($2::timestamptz IS NULL OR (followed_at, follower_id) < ($2, $3::uuid))
ORDER BY followed_at DESC, follower_id DESC
LIMIT $4
