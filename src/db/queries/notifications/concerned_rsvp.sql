WITH concerned AS (
    SELECT h.person_id, a.person_id AS actor_id, a.party_id, NULL::uuid AS media_id, NULL::uuid AS comment_id
    FROM attendances a
    JOIN attendances h ON h.party_id = a.party_id
    WHERE a.party_id = $5 AND a.person_id = $6 AND a.state = 'in' AND h.role IN ('host', 'cohost') AND h.state = 'in'
)
