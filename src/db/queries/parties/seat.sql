UPDATE parties SET attendees_count = attendees_count + 1 WHERE id = $1
