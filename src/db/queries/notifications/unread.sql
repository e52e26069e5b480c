SELECT count(*) AS unread FROM notifications WHERE person_id = $1 AND read_at IS NULL
