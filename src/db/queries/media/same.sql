SELECT id FROM media
WHERE party_id = $1 AND uploader_id = $2 AND sha256 = $3 AND status <> 'FAILED'
