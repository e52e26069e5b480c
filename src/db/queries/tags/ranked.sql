GROUP BY tag
HAVING $2::bigint IS NULL OR count(*) < $2 OR (count(*) = $2 AND tag COLLATE "C" > $3)
ORDER BY count(*) DESC, tag COLLATE "C"
LIMIT $4
