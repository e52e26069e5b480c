INSERT INTO jobs (kind, payload) SELECT * FROM unnest($1::text[], $2::jsonb[])
