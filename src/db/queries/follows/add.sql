WITH added AS (
    INSERT INTO follows (follower_id, followed_id) VALUES ($1, $2)
    ON CONFLICT DO NOTHING
    RETURNING followed_id
)
UPDATE people
SET following_count = following_count + (id = $1)::integer, followers_count = followers_count + (id = $2)::integer
WHERE id IN ($1, $2) AND EXISTS (SELECT FROM added)
