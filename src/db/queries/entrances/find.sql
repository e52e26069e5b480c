-- What callers $1, people or displays, find at the doors of parties $2, by their place in the question. Each row is looked
-- up by its key, whatever the planner takes the tables for: it would rather read them whole, and compile the statement first
SELECT asked.nth, p.seq, p.status, p.is_private, p.cancelled_as_draft, p.ended_at, now() AS read_at,
    (SELECT epoch FROM schema_meta LIMIT 1) AS epoch,
    (SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint) AS timeline,
    a.role, a.state, a.rsvp,
    (
        SELECT true FROM displays d WHERE d.id = asked.caller AND d.party_id = asked.party AND d.revoked_at IS NULL
    ) IS NOT NULL AS is_display,
    c.id AS person_id, c.username, c.display_name, c.first_name, c.last_name, c.avatar_id
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (caller, party, nth)
CROSS JOIN LATERAL (
    SELECT seq, status, is_private, cancelled_as_draft, ended_at FROM parties WHERE id = asked.party LIMIT 1
) AS p
LEFT JOIN LATERAL (
    SELECT role, state, rsvp FROM attendances WHERE party_id = asked.party AND person_id = asked.caller LIMIT 1
) AS a ON true
LEFT JOIN LATERAL (
    SELECT id, username, display_name, first_name, last_name, avatar_id FROM people WHERE id = asked.caller LIMIT 1
) AS c ON true
