-- In the order of their ids, whoever follows whom: two who follow each other at once do not wait for each other in a circle
SELECT people.id
FROM people
JOIN accounts ON accounts.person_id = people.id
WHERE people.id = ANY ($1)
ORDER BY people.id
FOR NO KEY UPDATE OF people
