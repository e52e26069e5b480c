AND p.host_id = $2
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (p.created_at, p.id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY p.created_at DESC, p.id DESC
LIMIT $5
