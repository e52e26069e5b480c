WHERE NOT p.is_private AND p.status IN ('PLANNED', 'LIVE') AND ($2::uuid IS NULL OR p.host_id = $2)
