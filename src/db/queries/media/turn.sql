-- What is hidden kills the links that were signed before, also for when it is shown again
UPDATE media
SET status = $2, is_decided = is_decided OR $3,
    version = version + (status <> 'HIDDEN' AND $2 = 'HIDDEN')::integer
WHERE id = $1
