) seen ON seen.id = b.party_id
WHERE b.person_id = $2 AND b.state = 'in' AND b.rsvp IN ('GOING', 'MAYBE')
AND ($3::timestamptz IS NULL OR (b.joined_at, b.party_id) < ($3, $4::uuid))
ORDER BY b.joined_at DESC, b.party_id DESC
LIMIT $5
