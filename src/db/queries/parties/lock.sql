-- Not FOR UPDATE: who adds a row that refers to the party need not wait
WHERE p.id = $2
FOR NO KEY UPDATE OF p
