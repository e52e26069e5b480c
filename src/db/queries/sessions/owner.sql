SELECT f.person_id
FROM refresh_tokens t
JOIN token_families f ON f.id = t.family_id
WHERE t.hash = $1 AND f.revoked_at IS NULL
