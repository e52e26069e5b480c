-- How far the logs of parties $1 go, and with which number they begin
SELECT id, seq, (SELECT min(seq) FROM events WHERE party_id = parties.id) AS first
FROM parties
WHERE id = ANY ($1)
