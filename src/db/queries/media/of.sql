SELECT party_id FROM media WHERE id = $1
