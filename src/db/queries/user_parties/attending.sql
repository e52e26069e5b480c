) seen ON seen.id = b.party_id
WHERE b.person_id = $2 AND b.state = 'in' AND b.rsvp IN ('GOING', 'MAYBE')
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (b.joined_at, b.party_id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY b.joined_at DESC, b.party_id DESC
LIMIT $5
