SELECT count(*) AS count, coalesce(sum(size), 0)::bigint AS bytes
FROM media
WHERE party_id = $1 AND uploader_id = $2 AND status <> 'FAILED'
