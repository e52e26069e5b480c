UPDATE parties
SET status = $2, updated_at = now(), cancelled_as_draft = (status = 'DRAFT' AND $2 = 'CANCELLED'),
    started_at = CASE WHEN $2 = 'LIVE' THEN now() ELSE started_at END,
    ended_at = CASE WHEN $2 = 'ENDED' THEN now() ELSE ended_at END,
    -- One that is told of so late needs no reminder
    reminded_at = CASE WHEN $2 = 'PLANNED' AND starts_at <= now() + interval '1 hour' THEN now() ELSE reminded_at END
WHERE id = $1
