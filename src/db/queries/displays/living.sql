SELECT count(*) AS living
FROM displays
WHERE party_id = $1 AND revoked_at IS NULL AND created_at > now() - make_interval(secs => $2)
