-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (k.created_at, k.media_id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY k.created_at DESC, k.media_id DESC
LIMIT $4
