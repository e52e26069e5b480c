SELECT id, seq FROM parties WHERE id = ANY ($1)
