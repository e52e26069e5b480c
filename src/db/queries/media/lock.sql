-- Not FOR UPDATE: who adds a row that refers to the media need not wait
SELECT status, is_decided FROM media WHERE id = $1 FOR NO KEY UPDATE
