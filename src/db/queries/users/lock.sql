-- Not FOR UPDATE: who adds a row that refers to them need not wait
SELECT id FROM people WHERE id = $1 FOR NO KEY UPDATE
