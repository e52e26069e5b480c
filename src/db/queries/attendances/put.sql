-- A seat is taken by whoever is in and GOING, but the host. Who comes back stands where who comes last stands
WITH seats AS (
    SELECT ($4::text = 'in' AND $5::text = 'GOING' AND $3::text <> 'host')::int - coalesce((
        SELECT (state = 'in' AND rsvp = 'GOING' AND role <> 'host')::int
        FROM attendances
        WHERE party_id = $1 AND person_id = $2
    ), 0) AS more
), counted AS (
    UPDATE parties SET attendees_count = attendees_count + more FROM seats WHERE id = $1 AND more <> 0
)
INSERT INTO attendances AS known (party_id, person_id, role, state, rsvp)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (party_id, person_id) DO UPDATE
SET role = excluded.role, state = excluded.state, rsvp = excluded.rsvp,
    joined_at = CASE WHEN excluded.state = 'in' AND known.state <> 'in' THEN clock_timestamp() ELSE known.joined_at END
