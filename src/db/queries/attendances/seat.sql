-- Who comes back stands where who comes last stands
WITH counted AS (
    UPDATE parties SET attendees_count = attendees_count + 1 WHERE id = $1
)
INSERT INTO attendances (party_id, person_id, role)
VALUES ($1, $2, $3)
ON CONFLICT (party_id, person_id) DO UPDATE
SET role = excluded.role, state = 'in', rsvp = 'GOING', joined_at = clock_timestamp()
