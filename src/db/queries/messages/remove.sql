-- That something was said stays, and by whom; not what
UPDATE messages SET content = '', media_id = NULL, deleted_at = now() WHERE id = $1 AND deleted_at IS NULL
