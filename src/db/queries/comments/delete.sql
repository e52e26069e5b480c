DELETE FROM comments WHERE id = $1
