WITH family AS (
    INSERT INTO token_families (id, person_id) VALUES ($1, $2) RETURNING id
)
INSERT INTO refresh_tokens (hash, family_id, expires_at)
SELECT $3, id, now() + make_interval(secs => $4) FROM family
