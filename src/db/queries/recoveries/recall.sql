-- What is of another line of history tells of numbers that may stand for something else by now
UPDATE recoveries
SET used_at = now()
FROM schema_meta
WHERE recoveries.id = $1
    AND used_at > now() - interval '7 days'
    AND recoveries.epoch = schema_meta.epoch
    AND timeline = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint
RETURNING rooms
