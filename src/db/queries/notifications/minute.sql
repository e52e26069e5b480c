SELECT floor(extract(epoch FROM now()) / 60)::bigint AS minute
