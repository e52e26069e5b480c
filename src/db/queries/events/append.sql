WITH next AS (
    UPDATE parties SET seq = seq + 1 WHERE id = $1 RETURNING seq
)
INSERT INTO events (party_id, seq, kind, subject_id, facts)
SELECT $1, seq, $2, $3, $4 FROM next
RETURNING seq
