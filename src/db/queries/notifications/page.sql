WHERE n.person_id = $1
AND (NOT $2 OR n.read_at IS NULL)
AND ($3::timestamptz IS NULL OR (n.created_at, n.id) < ($3, $4::uuid))
ORDER BY n.created_at DESC, n.id DESC
LIMIT $5
