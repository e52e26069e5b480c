-- Whoever works on a party now may go on; it has another turn soon
WITH due AS (
    SELECT id
    FROM parties
    WHERE status = 'LIVE' AND (ends_at <= now() OR (ends_at IS NULL AND started_at <= now() - interval '24 hours'))
    ORDER BY coalesce(ends_at, started_at)
    LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
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
