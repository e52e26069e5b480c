UPDATE messages SET content = $2, edited_at = now() WHERE id = $1 AND deleted_at IS NULL
