-- Of each party a beginning, never a hole: its lowest number that is left tells what can still be read
WITH old AS (
    SELECT party_id, seq FROM events WHERE at < now() - make_interval(secs => $1) ORDER BY at LIMIT 1000
), beginning AS (
    SELECT party_id, max(seq) AS seq FROM old GROUP BY party_id
)
DELETE FROM events
USING beginning
WHERE events.party_id = beginning.party_id AND events.seq <= beginning.seq
