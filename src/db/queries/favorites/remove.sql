DELETE FROM party_favorites WHERE party_id = $1 AND person_id = $2
