UPDATE recoveries
SET rooms = rooms - $2::text, used_at = now()
WHERE id = $1
