INSERT INTO parties (id, host_id, title, description, status, starts_at, ends_at, is_private, max_attendees, venue, tags,
    code_hmac, code_sealed, reminded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
    CASE WHEN $6::timestamptz <= now() + interval '1 hour' THEN now() END)
