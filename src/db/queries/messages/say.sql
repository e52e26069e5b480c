-- Says it, logs that and numbers it by the event. What it refers to is locked first, the party last, as everywhere: who
-- changes one of them and then the party waits for nobody here. No row: something of it is gone
WITH sender AS MATERIALIZED (
    SELECT id, username, display_name, first_name, last_name, avatar_id FROM people WHERE id = $3 FOR KEY SHARE
), shown AS MATERIALIZED (
    SELECT id FROM media WHERE id = $6 FOR KEY SHARE
), answered AS MATERIALIZED (
    SELECT id FROM messages WHERE id = $7 FOR KEY SHARE
), next AS (
    UPDATE parties SET seq = seq + 1
    WHERE id = $2
      AND EXISTS (SELECT FROM sender)
      AND ($6::uuid IS NULL OR EXISTS (SELECT FROM shown))
      AND ($7::uuid IS NULL OR EXISTS (SELECT FROM answered))
    RETURNING seq
), told AS (
    INSERT INTO events (party_id, seq, kind, subject_id, facts)
    SELECT $2, seq, $9, $1, '{}' FROM next
), said AS (
    INSERT INTO messages (id, party_id, sender_id, type, content, media_id, reply_to_id, client_id, seq)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, seq FROM next
    RETURNING id, party_id, type, content, media_id, reply_to_id, created_at, edited_at, deleted_at, seq
)
SELECT
    m.*,
    u.id AS person_id, u.username, u.display_name, u.first_name, u.last_name, u.avatar_id
FROM said m
CROSS JOIN sender u
