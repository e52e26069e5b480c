UPDATE media
SET status = 'READY', width = $2, height = $3, thumbhash = $4,
    file_size = $5, preview_type = $6, thumb_type = $7
WHERE id = $1 AND status IN ('PENDING', 'PROCESSING')
