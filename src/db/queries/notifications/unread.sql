SELECT count(*) AS unread
FROM notifications
WHERE person_id = $1 AND read_at IS NULL AND created_at >= now() - interval '90 days'
