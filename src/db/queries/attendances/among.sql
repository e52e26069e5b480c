SELECT person_id, username, display_name, first_name, last_name, avatar_id, role, state, rsvp, joined_at, checked_in_at
FROM attendances
JOIN people ON people.id = person_id
WHERE party_id = $1 AND person_id = ANY ($2)
