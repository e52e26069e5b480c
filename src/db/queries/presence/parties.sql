SELECT person.id AS person_id, party_id
FROM unnest($1::uuid[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT party_id
    FROM attendances
    JOIN parties ON parties.id = party_id
    WHERE person_id = person.id
        AND status = 'LIVE'
        AND state = 'in' AND (role <> 'attendee' OR rsvp = 'GOING')
    ORDER BY started_at DESC, party_id
    LIMIT $2
) AS live
