DELETE FROM media WHERE id = $1
RETURNING party_id, status, size,
    array_remove(ARRAY[original_key, file_key, preview_key, thumb_key], NULL) AS keys
