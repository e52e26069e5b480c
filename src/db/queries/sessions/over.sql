-- Those of these callers who may not go on, by their place in the question. Is gone: who was erased, a guest who was
-- banned, a screen that was revoked or whose party has ended more than $4 hours ago. The others have signed out. $1: 0 a user,
-- 1 a guest, 2 a screen.
WITH asked AS (
    SELECT kind, id, family, nth
    FROM unnest($1::smallint[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS asked (kind, id, family, nth)
), judged AS (
    SELECT asked.nth,
        CASE asked.kind
            WHEN 0 THEN NOT EXISTS (SELECT FROM people WHERE people.id = asked.id)
            WHEN 1 THEN NOT EXISTS (
                SELECT FROM guests
                LEFT JOIN attendances a ON a.party_id = guests.party_id AND a.person_id = guests.person_id
                WHERE guests.person_id = asked.id AND a.state IS DISTINCT FROM 'banned'
            )
            ELSE NOT EXISTS (
                SELECT FROM displays JOIN parties ON parties.id = displays.party_id
                WHERE displays.id = asked.id AND revoked_at IS NULL
                    AND (ended_at IS NULL OR now() - ended_at <= make_interval(hours => $4::integer))
            )
        END AS is_gone,
        asked.family IS NOT NULL AND NOT EXISTS (
            SELECT FROM token_families f WHERE f.id = asked.family AND f.revoked_at IS NULL
        ) AS is_signed_out
    FROM asked
)
SELECT nth, is_gone FROM judged WHERE is_gone OR is_signed_out
