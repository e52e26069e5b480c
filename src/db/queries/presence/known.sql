SELECT id
FROM unnest($2::uuid[]) AS asked (id)
WHERE id = $1
    OR (
        EXISTS (SELECT FROM follows WHERE follower_id = $1 AND followed_id = id)
        AND EXISTS (SELECT FROM follows WHERE follower_id = id AND followed_id = $1)
    )
    OR EXISTS (
        SELECT
        FROM attendances AS own
        JOIN parties ON parties.id = own.party_id
        JOIN attendances AS other ON other.party_id = own.party_id
        WHERE own.person_id = $1
            AND other.person_id = asked.id
            AND parties.status = 'LIVE'
            AND own.state = 'in' AND (own.role <> 'attendee' OR own.rsvp = 'GOING')
            AND other.state = 'in' AND (other.role <> 'attendee' OR other.rsvp = 'GOING')
    )
