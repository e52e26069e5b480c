UPDATE attendances SET checked_in_at = now() WHERE party_id = $1 AND person_id = $2 AND checked_in_at IS NULL
