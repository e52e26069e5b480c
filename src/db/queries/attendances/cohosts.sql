SELECT count(*) FROM attendances WHERE party_id = $1 AND role = 'cohost' AND state = 'in'
