-- The unique indexes judge whether name and address are taken: whoever looks first may look too early.
WITH person AS (
    INSERT INTO people (id, is_guest, username, display_name, first_name, last_name, bio)
    VALUES ($1, false, $2, $3, $4, $5, $6)
    RETURNING id, created_at
), account AS (
    INSERT INTO accounts (person_id, email, password_hash)
    SELECT id, $7, $8 FROM person
    RETURNING notifications_enabled
)
SELECT person.created_at, account.notifications_enabled FROM person, account
