-- A sign-in goes with the last of its tokens
WITH gone AS (
    DELETE FROM refresh_tokens
    WHERE hash IN (SELECT hash FROM refresh_tokens WHERE expires_at < now() LIMIT 1000)
    RETURNING family_id
), empty AS (
    DELETE FROM token_families
    WHERE id IN (SELECT family_id FROM gone)
    AND NOT EXISTS (
        SELECT FROM refresh_tokens
        WHERE family_id = token_families.id AND (expires_at IS NULL OR expires_at >= now())
    )
)
SELECT count(*) AS gone FROM gone
