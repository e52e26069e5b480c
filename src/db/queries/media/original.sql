SELECT party_id, original_key, content_type, size FROM media WHERE id = $1 AND status IN ('PENDING', 'PROCESSING')
