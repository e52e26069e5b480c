WITH concerned AS (
    SELECT m.uploader_id AS person_id, l.person_id AS actor_id, m.party_id, m.id AS media_id, NULL::uuid AS comment_id
    FROM media_likes l
    JOIN media m ON m.id = l.media_id
    JOIN attendances a ON a.party_id = m.party_id AND a.person_id = m.uploader_id
    WHERE l.media_id = $5 AND l.person_id = $6 AND m.status = 'READY' AND a.state = 'in'
)
