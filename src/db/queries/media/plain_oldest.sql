      -- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
      AND seq > coalesce($4::bigint, -1)
    ORDER BY seq
    LIMIT $3
) m ON true
LEFT JOIN people u ON u.id = m.uploader_id
WHERE p.id = $1
ORDER BY m.seq
