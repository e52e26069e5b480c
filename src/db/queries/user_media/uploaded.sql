AND m.uploader_id = $2 AND m.status = 'READY'
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (m.created_at, m.id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY m.created_at DESC, m.id DESC
LIMIT $5
