DELETE FROM parties WHERE id = $1 RETURNING cover_id
