WHERE n.id = ANY ($1)
