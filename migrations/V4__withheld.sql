-- Kind: expand
--
-- A party that is cancelled before it was published: it stays its host's and its cohosts' alone, as the draft that it was. Of
-- those that were cancelled before, nobody can tell any more; they stay as they have been seen.

ALTER TABLE parties ADD COLUMN cancelled_as_draft boolean NOT NULL DEFAULT false;

UPDATE schema_meta SET version = 4;
