DELETE FROM parties WHERE id = $1
