UPDATE media
SET status = 'READY', width = $2, height = $3, thumbhash = $4,
    file_key = $5, file_size = $6, preview_key = $7, preview_type = $8, thumb_key = $9, thumb_type = $10,
    original_key = NULL, failure = NULL
WHERE id = $1 AND status IN ('PENDING', 'PROCESSING')
