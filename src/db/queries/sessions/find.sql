-- Both rows are locked: of two that come with one token the second sees it spent, and a family ends but once.
SELECT t.family_id,
       f.person_id,
       people.is_guest,
       f.revoked_at IS NOT NULL AS is_revoked,
       coalesce(t.expires_at <= now(), false) AS is_expired,
       extract(epoch FROM now() - t.spent_at)::float8 AS spent_for,
       extract(epoch FROM now() - parties.ended_at)::float8 AS ended_for
FROM refresh_tokens t
JOIN token_families f ON f.id = t.family_id
JOIN people ON people.id = f.person_id
LEFT JOIN guests ON guests.person_id = people.id
LEFT JOIN parties ON parties.id = guests.party_id
WHERE t.hash = $1
FOR UPDATE OF t, f
