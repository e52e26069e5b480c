SELECT person_id FROM attendances WHERE party_id = $1 AND person_id = $2 FOR UPDATE
