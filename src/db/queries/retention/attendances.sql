DELETE FROM attendances WHERE party_id = $1 AND person_id IN (SELECT person_id FROM attendances WHERE party_id = $1 LIMIT $2)
