UPDATE accounts SET password_hash = $3 WHERE person_id = $1 AND password_hash = $2
