-- One that is held is due when its lease ends
SELECT
    count(*) FILTER (WHERE buried_at IS NULL AND run_at <= now()) AS due,
    count(*) FILTER (WHERE buried_at IS NOT NULL) AS dead
FROM jobs
