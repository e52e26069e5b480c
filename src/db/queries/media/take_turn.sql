-- Not by a lock of their place: who changes that holds the party first, and an upload takes the party last
SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2::uuid::text, 0))
