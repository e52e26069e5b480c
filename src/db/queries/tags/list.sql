-- The newest 10,000 of each: the answer takes no longer as they grow in number
WITH used AS (
    SELECT unnest(tags) AS tag
    FROM (
        SELECT tags
        FROM parties
        WHERE NOT is_private AND status <> 'DRAFT' AND tags <> '{}' AND status <> 'CANCELLED' AND deleted_at IS NULL
        ORDER BY created_at DESC
        LIMIT 10000
    ) AS newest
    UNION ALL
    SELECT unnest(newest.tags)
    FROM (
        SELECT party_id, tags
        FROM media
        WHERE status = 'READY' AND tags <> '{}'
        ORDER BY created_at DESC
        LIMIT 10000
    ) AS newest
    JOIN parties p ON p.id = newest.party_id
    WHERE NOT p.is_private AND p.status <> 'DRAFT' AND p.status <> 'CANCELLED' AND p.deleted_at IS NULL
)
SELECT tag, count(*) AS count
FROM used
WHERE $1::text IS NULL OR starts_with(tag, $1)
