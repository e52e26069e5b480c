INSERT INTO chat_reads (party_id, person_id, seq)
VALUES ($1, $2, $3)
ON CONFLICT (party_id, person_id) DO UPDATE
SET seq = excluded.seq, read_at = now()
WHERE chat_reads.seq < excluded.seq
