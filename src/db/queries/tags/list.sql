-- The newest 10,000 of each that everybody may see: so many are counted, however many there are
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
    SELECT unnest(tags)
    FROM (
        SELECT m.tags
        FROM media m
        JOIN parties p ON p.id = m.party_id
        WHERE m.status = 'READY' AND m.tags <> '{}'
        AND NOT p.is_private AND p.status NOT IN ('DRAFT', 'CANCELLED') AND p.deleted_at IS NULL
        ORDER BY m.created_at DESC
        LIMIT 10000
    ) AS newest
)
SELECT tag, count(*) AS count
FROM used
WHERE $1::text IS NULL OR starts_with(tag, $1)
