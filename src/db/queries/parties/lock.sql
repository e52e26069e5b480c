-- Not FOR UPDATE: who adds a row that refers to the party need not wait, and does not hold up the next in turn
SELECT id FROM parties WHERE id = $1 FOR NO KEY UPDATE
