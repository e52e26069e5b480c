DELETE FROM events WHERE party_id = $1 AND seq IN (SELECT seq FROM events WHERE party_id = $1 LIMIT $2)
