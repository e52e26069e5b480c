UPDATE media SET status = 'FAILED', failure = $2
WHERE id = $1 AND status IN ('PENDING', 'PROCESSING')
