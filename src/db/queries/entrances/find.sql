-- What callers $1, people or displays, find at the doors of parties $2, by their place in the question
SELECT asked.nth, p.seq, p.status, p.is_private, p.ended_at, now() AS read_at, meta.epoch, a.role, a.state, a.rsvp,
    EXISTS (
        SELECT FROM displays d WHERE d.id = asked.caller AND d.party_id = p.id AND d.revoked_at IS NULL
    ) AS is_display,
    c.id AS person_id, c.username, c.display_name, c.first_name, c.last_name, c.avatar_id
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (caller, party, nth)
JOIN parties p ON p.id = asked.party
CROSS JOIN schema_meta meta
LEFT JOIN attendances a ON a.party_id = p.id AND a.person_id = asked.caller
LEFT JOIN people c ON c.id = asked.caller
