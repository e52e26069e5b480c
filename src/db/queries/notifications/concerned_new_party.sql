-- What turned private meanwhile is told to nobody
WITH concerned AS (
    SELECT f.follower_id AS person_id, p.host_id AS actor_id, p.id AS party_id, NULL::uuid AS media_id,
        NULL::uuid AS comment_id
    FROM parties p
    JOIN follows f ON f.followed_id = p.host_id
    WHERE p.id = $5 AND NOT p.is_private AND p.status IN ('PLANNED', 'LIVE')
    AND NOT EXISTS (
        SELECT FROM attendances WHERE party_id = p.id AND person_id = f.follower_id AND state = 'banned'
    )
)
