-- Parties that follow, with when person $2 came to each
SELECT seen.*, b.joined_at AS came_at
FROM attendances b
JOIN (
