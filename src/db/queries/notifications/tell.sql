-- Those who are concerned, have an account and want to know, in the order of their ids: one for each id in $3, after
-- person $4. What was new to whom; and in a row of its own whom the last is, if there may be more.
, audience AS (
    SELECT concerned.*
    FROM concerned
    JOIN accounts ON accounts.person_id = concerned.person_id
    WHERE accounts.notifications_enabled
    AND concerned.person_id > $4
    AND concerned.person_id IS DISTINCT FROM concerned.actor_id
    ORDER BY concerned.person_id
    LIMIT cardinality($3::uuid[])
), told AS (
    INSERT INTO notifications (id, person_id, type, cause, actor_id, party_id, media_id, comment_id)
    SELECT ($3::uuid[])[row_number() OVER (ORDER BY person_id)], person_id, $1, $2, actor_id, party_id, media_id,
        comment_id
    FROM audience
    ORDER BY person_id
    ON CONFLICT (person_id, cause) DO NOTHING
    RETURNING id, person_id
), last AS (
    SELECT person_id FROM audience ORDER BY person_id OFFSET cardinality($3::uuid[]) - 1
)
SELECT id, person_id FROM told
UNION ALL
SELECT NULL, person_id FROM last
