WITH person AS (
    UPDATE people
    SET display_name = $2, first_name = $3, last_name = $4, bio = $5, interests = $6, updated_at = now()
    WHERE id = $1
)
UPDATE accounts SET notifications_enabled = $7 WHERE person_id = $1
