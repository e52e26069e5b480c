-- Locked as it is to be when its row goes: others pass it over
SELECT id
FROM parties
WHERE deleted_at <= now() - make_interval(days => $1)
ORDER BY deleted_at
LIMIT 1
FOR UPDATE SKIP LOCKED
