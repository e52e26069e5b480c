-- A guest belongs to one party, and goes with it
DELETE FROM people WHERE id IN (SELECT person_id FROM guests WHERE party_id = $1 LIMIT $2)
