-- Kind: expand
--
-- That somebody was told of a like is kept as long as the media, so that it is told once ever: what is forgotten for its age is
-- everything else.

CREATE INDEX notifications_expiring ON notifications (created_at) WHERE type <> 'LIKE';
DROP INDEX notifications_age;

UPDATE schema_meta SET version = 6;
