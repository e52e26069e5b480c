WITH removed AS (
    DELETE FROM follows WHERE follower_id = $1 AND followed_id = $2
    RETURNING followed_id
)
UPDATE people
SET following_count = following_count - (id = $1)::integer, followers_count = followers_count - (id = $2)::integer
WHERE id IN ($1, $2) AND EXISTS (SELECT FROM removed)
