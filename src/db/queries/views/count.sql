-- Locked in the order of their ids: pods that count at the same time wait for each other in turn
WITH seen AS (
    SELECT m.id, s.looks
    FROM unnest($1::uuid[], $2::integer[]) AS s (id, looks)
    JOIN media m ON m.id = s.id
    WHERE m.status = 'READY'
    ORDER BY m.id
    FOR NO KEY UPDATE OF m
)
UPDATE media SET views_count = media.views_count + seen.looks
FROM seen
WHERE media.id = seen.id
