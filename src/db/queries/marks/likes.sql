-- What is not shown has no likes to tell of
SELECT m.id, m.party_id, m.likes_count, p.is_private
FROM media m
JOIN parties p ON p.id = m.party_id
WHERE m.id = ANY ($1) AND m.status = 'READY'
