AND m.uploader_id = $2 AND m.status = 'READY'
AND ($3::timestamptz IS NULL OR (m.created_at, m.id) < ($3, $4::uuid))
ORDER BY m.created_at DESC, m.id DESC
LIMIT $5
