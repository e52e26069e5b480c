SELECT person_id, password_hash FROM accounts WHERE lower(email) = lower($1)
