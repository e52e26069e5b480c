DELETE FROM recoveries
WHERE id IN (SELECT id FROM recoveries WHERE used_at <= now() - interval '7 days' ORDER BY used_at LIMIT 1000)
