-- Locks the person's place in the party: their next upload waits for this one, and the sum stays exact.
WITH place AS (
    SELECT person_id FROM attendances WHERE party_id = $1 AND person_id = $2 FOR UPDATE
)
SELECT
    (SELECT count(*) FROM place) AS places,
    count(m.id) AS count,
    coalesce(sum(m.size), 0)::bigint AS bytes,
    (SELECT media_bytes FROM parties WHERE id = $1) AS party_bytes
FROM media m
WHERE m.party_id = $1 AND m.uploader_id = $2 AND m.status <> 'FAILED'
