WITH concerned AS (
    SELECT a.person_id, m.uploader_id AS actor_id, m.party_id, m.id AS media_id, NULL::uuid AS comment_id
    FROM media m
    JOIN attendances a ON a.party_id = m.party_id
    WHERE m.id = $5 AND m.status = 'READY' AND a.state = 'in' AND (a.role IN ('host', 'cohost') OR a.rsvp = 'GOING')
)
