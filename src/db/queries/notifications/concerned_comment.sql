WITH concerned AS (
    SELECT m.uploader_id AS person_id, c.author_id AS actor_id, m.party_id, m.id AS media_id, c.id AS comment_id
    FROM comments c
    JOIN media m ON m.id = c.media_id
    JOIN attendances a ON a.party_id = m.party_id AND a.person_id = m.uploader_id
    WHERE c.id = $5 AND m.status = 'READY' AND a.state = 'in'
)
