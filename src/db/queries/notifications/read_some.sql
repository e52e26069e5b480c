-- In one order: two of these at once do not wait for each other for ever
WITH unread AS (
    SELECT id FROM notifications
    WHERE id = ANY ($2) AND person_id = $1 AND read_at IS NULL
    ORDER BY created_at, id
    FOR NO KEY UPDATE
)
UPDATE notifications SET read_at = now() FROM unread WHERE notifications.id = unread.id
