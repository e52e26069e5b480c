UPDATE media SET status = 'FAILED', failure = $2, original_key = NULL
WHERE id = $1 AND status IN ('PENDING', 'PROCESSING')
