SELECT email, password_hash FROM accounts WHERE person_id = $1
