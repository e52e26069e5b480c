JOIN party_favorites mine ON mine.party_id = p.id AND mine.person_id = $1
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
WHERE (mine.created_at, mine.party_id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY mine.created_at DESC, mine.party_id DESC
LIMIT $4
