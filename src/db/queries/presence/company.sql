SELECT party.id AS party_id, person_id
FROM unnest($1::uuid[]) AS party (id)
CROSS JOIN LATERAL (
    SELECT person_id
    FROM attendances
    WHERE party_id = party.id
        AND person_id = ANY ($2)
        AND state = 'in' AND (role <> 'attendee' OR rsvp = 'GOING')
    LIMIT $3
) AS there
