SELECT
    count(m.id) AS count,
    coalesce(sum(m.size), 0)::bigint AS bytes,
    (SELECT media_bytes FROM parties WHERE id = $1) AS party_bytes
FROM media m
WHERE m.party_id = $1 AND m.uploader_id = $2 AND m.status <> 'FAILED'
