-- Nobody has done what the clock did: then all are told of it
WITH concerned AS (
    SELECT a.person_id, (SELECT id FROM people WHERE id = $6::uuid) AS actor_id, p.id AS party_id,
        NULL::uuid AS media_id, NULL::uuid AS comment_id
    FROM parties p
    JOIN attendances a ON a.party_id = p.id
    WHERE p.id = $5 AND a.state = 'in' AND (a.role IN ('host', 'cohost') OR a.rsvp = 'GOING')
)
