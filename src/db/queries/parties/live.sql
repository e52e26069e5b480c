WHERE p.status = 'LIVE' AND NOT p.is_private
AND ($2::integer IS NULL OR p.attendees_count < $2 OR (p.attendees_count = $2 AND p.id > $3::uuid))
ORDER BY p.attendees_count DESC, p.id
LIMIT $4
