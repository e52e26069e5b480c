UPDATE comments SET seq = $2 WHERE id = $1
