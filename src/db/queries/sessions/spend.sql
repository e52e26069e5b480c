-- One that does not expire by itself is remembered for a while: whoever uses it again has stolen it
WITH spent AS (
    UPDATE refresh_tokens
    SET spent_at = now(), expires_at = coalesce(expires_at, now() + make_interval(secs => $4))
    WHERE hash = $1
    RETURNING family_id
)
INSERT INTO refresh_tokens (hash, family_id, expires_at)
SELECT $2, family_id, now() + make_interval(secs => $3) FROM spent
