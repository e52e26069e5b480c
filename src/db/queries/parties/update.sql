UPDATE parties
SET title = $2, description = $3, starts_at = $4, ends_at = $5, is_private = $6, max_attendees = $7, venue = $8, tags = $9,
    code_hmac = coalesce($10, code_hmac), code_sealed = coalesce($11, code_sealed),
    revision = revision + 1, updated_at = now(),
    reminded_at = CASE
        WHEN $4 = starts_at THEN reminded_at
        WHEN $4 <= now() + interval '1 hour' THEN now()
    END,
    links_version = links_version + CASE WHEN $6 AND NOT is_private THEN 1 ELSE 0 END
WHERE id = $1
