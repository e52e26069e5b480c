DELETE FROM chat_reads WHERE party_id = $1 AND person_id IN (SELECT person_id FROM chat_reads WHERE party_id = $1 LIMIT $2)
