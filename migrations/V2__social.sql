-- Kind: expand
--
-- What people and parties do with each other: who follows, likes, comments, reports and reacts; screens of a party; what
-- people are told of. A counter on a row that is referred to is kept in the transaction of the row that it counts.

ALTER TABLE people
    -- Slugs.
    ADD COLUMN interests       text[] NOT NULL DEFAULT '{}',
    ADD COLUMN followers_count integer NOT NULL DEFAULT 0 CHECK (followers_count >= 0),
    ADD COLUMN following_count integer NOT NULL DEFAULT 0 CHECK (following_count >= 0),
    -- Names the picture that is shown now; each new one has another. Where its bytes are follows from the ids.
    ADD COLUMN avatar_id       uuid,
    ADD COLUMN avatar_type     text CHECK ((avatar_id IS NULL) = (avatar_type IS NULL));

CREATE TABLE social_links (
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    platform  text NOT NULL,
    url       text NOT NULL,
    PRIMARY KEY (person_id, platform)
);

CREATE TABLE follows (
    follower_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    followed_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    followed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (follower_id, followed_id),
    CHECK (follower_id <> followed_id)
);
CREATE INDEX follows_followers ON follows (followed_id, followed_at, follower_id);
CREATE INDEX follows_following ON follows (follower_id, followed_at, followed_id);
-- The order in which followers are told of something.
CREATE INDEX follows_told ON follows (followed_id, follower_id);

ALTER TABLE parties
    ADD COLUMN cover_id      uuid,
    ADD COLUMN cover_type    text CHECK ((cover_id IS NULL) = (cover_type IS NULL)),
    ADD COLUMN cancel_reason text,
    -- When its attendees were told that it begins soon.
    ADD COLUMN reminded_at   timestamptz;
CREATE INDEX parties_live ON parties (attendees_count, id) WHERE status = 'LIVE' AND NOT is_private;
CREATE INDEX parties_to_remind ON parties (starts_at) WHERE status = 'PLANNED' AND reminded_at IS NULL;
-- Where tags are looked for: the newest first.
CREATE INDEX parties_tagged ON parties (created_at) WHERE NOT is_private AND status <> 'DRAFT' AND tags <> '{}';
CREATE INDEX parties_to_erase ON parties (deleted_at) WHERE deleted_at IS NOT NULL;

-- Who runs a party, among all who are in it.
CREATE INDEX attendances_hosting ON attendances (party_id) WHERE role IN ('host', 'cohost');

-- The address that a guest joined from, as a keyed hash: three of one address are one voice.
ALTER TABLE guests ADD COLUMN joined_from bytea;

-- Screens that show one gallery.
CREATE TABLE displays (
    id         uuid PRIMARY KEY,
    party_id   uuid NOT NULL REFERENCES parties ON DELETE CASCADE,
    created_by uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    name       text,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX displays_party ON displays (party_id);
CREATE INDEX displays_created_by ON displays (created_by);

CREATE TABLE party_favorites (
    party_id   uuid NOT NULL REFERENCES parties ON DELETE CASCADE,
    person_id  uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (party_id, person_id)
);
CREATE INDEX party_favorites_page ON party_favorites (person_id, created_at, party_id);

-- Whether a host hid it or showed it again: nobody's report counts after that.
ALTER TABLE media ADD COLUMN is_decided boolean NOT NULL DEFAULT false;
CREATE INDEX media_tagged ON media (created_at) WHERE status = 'READY' AND tags <> '{}';
CREATE INDEX media_of_person ON media (uploader_id, created_at, id);

CREATE TABLE media_likes (
    media_id   uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    person_id  uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (media_id, person_id)
);
CREATE INDEX media_likes_page ON media_likes (person_id, created_at, media_id);

CREATE TABLE media_favorites (
    media_id   uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    person_id  uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (media_id, person_id)
);
CREATE INDEX media_favorites_page ON media_favorites (person_id, created_at, media_id);

CREATE TABLE comments (
    id         uuid PRIMARY KEY,
    media_id   uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    author_id  uuid NOT NULL REFERENCES people,
    content    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- That of its party:comment_added: what pages go by.
    seq        bigint NOT NULL DEFAULT 0
);
CREATE INDEX comments_page ON comments (media_id, seq);
CREATE INDEX comments_author ON comments (author_id);

CREATE TABLE reports (
    media_id    uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    reporter_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    reason      text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (media_id, reporter_id)
);
CREATE INDEX reports_reporter ON reports (reporter_id);

CREATE TABLE reactions (
    message_id uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    person_id  uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    emoji      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, person_id, emoji)
);
CREATE INDEX reactions_person ON reactions (person_id);

-- How far somebody has read a chat; it never goes back.
CREATE TABLE chat_reads (
    party_id  uuid NOT NULL REFERENCES parties ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    seq       bigint NOT NULL,
    read_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (party_id, person_id)
);
CREATE INDEX chat_reads_person ON chat_reads (person_id);

-- Where pushes go. A token is one device's: whoever brings it last has the device.
CREATE TABLE devices (
    id         uuid PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    token      text NOT NULL,
    -- SHA-256 of it: an index takes no text of 4,096 characters.
    token_hash bytea NOT NULL UNIQUE,
    platform   text NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX devices_person ON devices (person_id, created_at, id);

-- What a person is told. Ids only: its words are made when it is read, and it goes with what it tells of.
CREATE TABLE notifications (
    id         uuid PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    type       text NOT NULL,
    -- Of the same cause a person is told once.
    cause      text NOT NULL,
    actor_id   uuid REFERENCES people ON DELETE CASCADE,
    party_id   uuid REFERENCES parties ON DELETE CASCADE,
    media_id   uuid REFERENCES media ON DELETE CASCADE,
    comment_id uuid REFERENCES comments ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_at    timestamptz,
    UNIQUE (person_id, cause)
);
CREATE INDEX notifications_page ON notifications (person_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (person_id, created_at, id) WHERE read_at IS NULL;
CREATE INDEX notifications_age ON notifications (created_at);
CREATE INDEX notifications_actor ON notifications (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX notifications_party ON notifications (party_id) WHERE party_id IS NOT NULL;
CREATE INDEX notifications_media ON notifications (media_id) WHERE media_id IS NOT NULL;
CREATE INDEX notifications_comment ON notifications (comment_id) WHERE comment_id IS NOT NULL;

UPDATE schema_meta SET version = 2;
