WITH concerned AS (
    SELECT a.person_id, p.host_id AS actor_id, p.id AS party_id, NULL::uuid AS media_id, NULL::uuid AS comment_id
    FROM attendances a
    JOIN parties p ON p.id = a.party_id
    WHERE a.party_id = $5 AND a.person_id = $6 AND a.role = 'cohost' AND a.state = 'in'
)
