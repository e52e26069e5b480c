WHERE n.person_id = $1
-- What is older is forgotten, but for likes
AND n.created_at >= now() - interval '90 days'
AND (NOT $2 OR n.read_at IS NULL)
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (n.created_at, n.id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY n.created_at DESC, n.id DESC
LIMIT $5
