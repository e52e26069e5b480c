WITH concerned AS (
    SELECT followed_id AS person_id, follower_id AS actor_id, NULL::uuid AS party_id, NULL::uuid AS media_id,
        NULL::uuid AS comment_id
    FROM follows
    WHERE follower_id = $5 AND followed_id = $6
)
