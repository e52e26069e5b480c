WHERE p.host_id = $2
