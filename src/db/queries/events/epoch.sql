-- A standby that takes over begins another timeline, which the name of the log's file that is written now begins with.
SELECT epoch, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline
FROM schema_meta
