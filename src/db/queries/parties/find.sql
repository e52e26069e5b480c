WHERE p.id = $2
