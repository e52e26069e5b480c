SELECT seq, kind, subject_id, facts, at
FROM events
WHERE party_id = $1 AND seq > $2
ORDER BY seq
LIMIT $3
