INSERT INTO recoveries (id, epoch, timeline)
SELECT $1, epoch, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint
FROM schema_meta
