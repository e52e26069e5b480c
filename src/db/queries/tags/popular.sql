-- The newest 10,000: the answer takes no longer as they grow in number
WITH used AS (
    SELECT unnest(tags) AS tag
    FROM (
        SELECT tags
        FROM parties
        WHERE NOT is_private AND status <> 'DRAFT' AND tags <> '{}' AND status IN ('PLANNED', 'LIVE')
        AND created_at > now() - interval '30 days'
        ORDER BY created_at DESC
        LIMIT 10000
    ) AS newest
)
SELECT tag, count(*) AS count
FROM used
WHERE $1::text IS NULL
