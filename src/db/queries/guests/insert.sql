WITH person AS (
    INSERT INTO people (id, is_guest, display_name) VALUES ($1, true, $3) RETURNING id
)
INSERT INTO guests (person_id, party_id, joined_from)
SELECT id, $2, $4 FROM person
