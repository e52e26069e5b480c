-- Kept as it is until this transaction ends: a password that is changed meanwhile ends this sign-in too
SELECT person_id FROM accounts WHERE person_id = $1 AND password_hash = $2 FOR SHARE
