-- As many as a session may be in; who is refused one more by the session itself is not noted either
UPDATE recoveries
SET rooms = rooms || jsonb_build_object($2::text, $3::bigint), used_at = now()
WHERE id = $1
    AND (rooms ? $2 OR (SELECT count(*) FROM jsonb_object_keys(rooms)) < 100)
