      AND ($3::uuid IS NULL OR uploader_id = $3)
      AND ($4::text IS NULL OR type = $4)
      AND ($5::text IS NULL OR mood = $5)
      AND ($6::uuid IS NULL OR uploader_id = $6)
      AND ($7::text IS NULL OR $7 = ANY (tags))
      AND ($8::bigint IS NULL OR seq > $8)
      AND ($10::bigint IS NULL OR (likes_count, seq) < ($11::integer, $10))
    ORDER BY likes_count DESC, seq DESC
    LIMIT $9
) m ON true
LEFT JOIN people u ON u.id = m.uploader_id
WHERE p.id = $1
ORDER BY m.likes_count DESC, m.seq DESC
