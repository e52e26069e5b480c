JOIN party_favorites mine ON mine.party_id = p.id AND mine.person_id = $1
WHERE $2::timestamptz IS NULL OR (mine.created_at, mine.party_id) < ($2, $3::uuid)
ORDER BY mine.created_at DESC, mine.party_id DESC
LIMIT $4
