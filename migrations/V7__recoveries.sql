-- Kind: expand
--
-- Sockets that can be recovered: in which rooms each is, and after which number it came in there. Whose one is, and what it has
-- heard since, is in what its client was given.

CREATE TABLE recoveries (
    id       uuid PRIMARY KEY,
    -- The line of history that its numbers are of.
    epoch    uuid NOT NULL,
    timeline bigint NOT NULL,
    -- By party and number of the room.
    rooms    jsonb NOT NULL DEFAULT '{}',
    used_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recoveries_age ON recoveries (used_at);

UPDATE schema_meta SET version = 7;
