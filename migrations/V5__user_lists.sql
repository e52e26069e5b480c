-- Kind: expand
--
-- The parties that somebody hosts and those that they come to, read in their lists' order; each stands for the index on the
-- person alone that it begins with.

CREATE INDEX parties_hosted ON parties (host_id, created_at, id);
DROP INDEX parties_host;
CREATE INDEX attendances_came ON attendances (person_id, joined_at, party_id);
DROP INDEX attendances_person;

UPDATE schema_meta SET version = 5;
