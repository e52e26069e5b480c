SELECT person_id, username, display_name, first_name, last_name, avatar_id, role, state, rsvp, joined_at, checked_in_at
FROM attendances
JOIN people ON people.id = person_id
WHERE party_id = $1 AND state = 'in'
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (joined_at, person_id) > (coalesce($2::timestamptz, '-infinity'), coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'))
ORDER BY joined_at, person_id
LIMIT $4
