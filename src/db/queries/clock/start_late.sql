-- One that was passed over for too long: waits for its turn, holding no other
WITH due AS (
    SELECT id
    FROM parties
    WHERE status = 'PLANNED' AND starts_at <= now() - interval '2 seconds'
    ORDER BY starts_at
    LIMIT 1
    FOR NO KEY UPDATE
), moved AS (
    UPDATE parties
    SET status = 'LIVE', started_at = now(), updated_at = now(), seq = seq + 1
    FROM due
    WHERE parties.id = due.id
    RETURNING parties.id, seq
)
INSERT INTO events (party_id, seq, kind, facts)
SELECT id, seq, $1, '{"status": "LIVE"}' FROM moved
RETURNING party_id, seq
