-- Of a reminder the host is told too: nobody did anything
WITH concerned AS (
    SELECT a.person_id, CASE WHEN $1 <> 'PARTY_REMINDER' THEN p.host_id END AS actor_id, p.id AS party_id,
        NULL::uuid AS media_id, NULL::uuid AS comment_id
    FROM parties p
    JOIN attendances a ON a.party_id = p.id
    WHERE p.id = $5 AND a.state = 'in' AND (a.role IN ('host', 'cohost') OR a.rsvp = 'GOING')
)
