-- One that was passed over for too long: waits for its turn, holding no other
WITH due AS (
    SELECT id
    FROM parties
    WHERE status = 'LIVE' AND (
        ends_at <= now() - interval '2 seconds'
        OR (ends_at IS NULL AND started_at <= now() - interval '24 hours 2 seconds')
    )
    ORDER BY coalesce(ends_at, started_at)
    LIMIT 1
    FOR NO KEY UPDATE
), moved AS (
    UPDATE parties
    SET status = 'ENDED', ended_at = now(), updated_at = now(), seq = seq + 1
    FROM due
    WHERE parties.id = due.id
    RETURNING parties.id, seq
)
INSERT INTO events (party_id, seq, kind, facts)
SELECT id, seq, $1, '{"status": "ENDED"}' FROM moved
RETURNING party_id, seq
