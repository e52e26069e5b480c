SELECT 1 FROM reports WHERE media_id = $1 AND reporter_id = $2
