-- A like stays, unseen, for it tells once ever
DELETE FROM notifications
WHERE id IN (
    SELECT id
    FROM notifications
    WHERE created_at < now() - interval '90 days' AND type <> 'LIKE'
    ORDER BY created_at
    LIMIT 1000
)
