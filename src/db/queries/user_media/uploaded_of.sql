SELECT m.id, m.created_at
FROM media m
JOIN parties p ON p.id = m.party_id
LEFT JOIN attendances a ON a.party_id = p.id AND a.person_id = $1
