WHERE p.id = ANY ($2)
