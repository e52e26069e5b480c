-- Who comes back stands where who comes last stands
INSERT INTO attendances (party_id, person_id, role)
VALUES ($1, $2, $3)
ON CONFLICT (party_id, person_id) DO UPDATE
SET role = excluded.role, state = 'in', rsvp = 'GOING', joined_at = clock_timestamp()
