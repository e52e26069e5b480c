SELECT lower(username) AS username FROM people WHERE lower(username) = ANY ($1)
