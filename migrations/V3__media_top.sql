-- Kind: expand
--
-- A gallery in the order of hearts, read as its other orders are: no further than the page goes.

CREATE INDEX media_top ON media (party_id, status, likes_count, seq);

UPDATE schema_meta SET version = 3;
