DELETE FROM party_favorites WHERE party_id = $1 AND person_id IN (SELECT person_id FROM party_favorites WHERE party_id = $1 LIMIT $2)
