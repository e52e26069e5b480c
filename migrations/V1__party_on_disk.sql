-- Kind: expand
--
-- People, parties, media, talk, the event log, and the work that is left to do.
-- Time is the database's. Ids are made by the service (UUIDv7), so that a repeat can name what it made.

-- Ready when version >= the binary's own and min_binary <= it. Each migration ends by setting both.
CREATE TABLE schema_meta (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    version    integer NOT NULL,
    min_binary integer NOT NULL,
    -- Names this line of history to clients that resume; a restore draws a new one.
    epoch      uuid NOT NULL DEFAULT gen_random_uuid()
);

-- What others may see of a user or a guest. Both share one table: who uploads, talks and attends is a person.
CREATE TABLE people (
    id           uuid PRIMARY KEY,
    is_guest     boolean NOT NULL,
    username     text CHECK (is_guest = (username IS NULL)),
    display_name text NOT NULL,
    first_name   text,
    last_name    text,
    bio          text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX people_username ON people (lower(username));

-- What nobody but the user themselves may see.
CREATE TABLE accounts (
    person_id             uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE,
    email                 text NOT NULL,
    password_hash         text NOT NULL,
    notifications_enabled boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX accounts_email ON accounts (lower(email));

-- One sign-in; its refresh tokens follow each other. Of a token only a hash is kept.
CREATE TABLE token_families (
    id         uuid PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX token_families_person ON token_families (person_id);

CREATE TABLE refresh_tokens (
    hash       bytea PRIMARY KEY,
    family_id  uuid NOT NULL REFERENCES token_families ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL DEFAULT now(),
    -- Of a guest's: null, for the party's end decides.
    expires_at timestamptz,
    spent_at   timestamptz
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

CREATE TABLE parties (
    id              uuid PRIMARY KEY,
    host_id         uuid NOT NULL REFERENCES people,
    title           text NOT NULL,
    description     text,
    status          text NOT NULL CHECK (status IN ('DRAFT', 'PLANNED', 'LIVE', 'ENDED', 'CANCELLED')),
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz,
    started_at      timestamptz,
    ended_at        timestamptz,
    is_private      boolean NOT NULL,
    max_attendees   integer,
    venue           jsonb,
    tags            text[] NOT NULL DEFAULT '{}',
    -- Found by its HMAC, kept sealed for the host's eyes.
    code_hmac       bytea UNIQUE,
    code_sealed     bytea,
    -- GOING users and guests, without the host.
    attendees_count integer NOT NULL DEFAULT 0 CHECK (attendees_count >= 0),
    media_count     integer NOT NULL DEFAULT 0 CHECK (media_count >= 0),
    media_bytes     bigint NOT NULL DEFAULT 0 CHECK (media_bytes >= 0),
    -- Of the last logged event. Updated by the last statement of the transaction, so that rows are locked briefly
    -- and the log has no gap; never a SEQUENCE, which has.
    seq             bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    -- Raised with every change of an editable field: what If-Match compares.
    revision        integer NOT NULL DEFAULT 1,
    -- Raised when the party turns private: links to its media that were signed before open nothing any more.
    links_version   integer NOT NULL DEFAULT 1,
    -- When its erasure was asked for.
    deleted_at      timestamptz,
    -- What lists look for.
    latitude        double precision GENERATED ALWAYS AS ((venue ->> 'latitude')::double precision) STORED,
    longitude       double precision GENERATED ALWAYS AS ((venue ->> 'longitude')::double precision) STORED,
    words           tsvector
        GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || coalesce(description, ''))) STORED
);
CREATE INDEX parties_host ON parties (host_id);
-- Everybody's list, in its order.
CREATE INDEX parties_public ON parties ((status <> 'LIVE'), starts_at, id)
    WHERE NOT is_private AND status IN ('PLANNED', 'LIVE');
CREATE INDEX parties_near ON parties (latitude) WHERE NOT is_private AND status IN ('PLANNED', 'LIVE');
CREATE INDEX parties_tags ON parties USING gin (tags) WHERE NOT is_private AND status IN ('PLANNED', 'LIVE');
CREATE INDEX parties_words ON parties USING gin (words) WHERE NOT is_private AND status IN ('PLANNED', 'LIVE');
-- What the clock has to look at.
CREATE INDEX parties_to_start ON parties (starts_at) WHERE status = 'PLANNED';
CREATE INDEX parties_to_end ON parties (ends_at) WHERE status = 'LIVE';

-- A guest belongs to the one party that they joined.
CREATE TABLE guests (
    person_id uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE,
    party_id  uuid NOT NULL REFERENCES parties ON DELETE CASCADE
);
CREATE INDEX guests_party ON guests (party_id);

CREATE TABLE attendances (
    party_id      uuid NOT NULL REFERENCES parties ON DELETE CASCADE,
    person_id     uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    role          text NOT NULL CHECK (role IN ('host', 'cohost', 'attendee', 'guest')),
    state         text NOT NULL DEFAULT 'in' CHECK (state IN ('in', 'left', 'removed', 'banned')),
    rsvp          text NOT NULL DEFAULT 'GOING' CHECK (rsvp IN ('GOING', 'MAYBE', 'NOT_GOING')),
    -- Taken while the party's row is locked: who joins later has a later one, and no page skips them.
    joined_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    checked_in_at timestamptz,
    PRIMARY KEY (party_id, person_id)
);
CREATE INDEX attendances_person ON attendances (person_id);
CREATE INDEX attendances_page ON attendances (party_id, joined_at, person_id) WHERE state = 'in';

CREATE TABLE media (
    id             uuid PRIMARY KEY,
    party_id       uuid NOT NULL REFERENCES parties ON DELETE CASCADE,
    uploader_id    uuid NOT NULL REFERENCES people,
    type           text NOT NULL CHECK (type IN ('PHOTO', 'VIDEO', 'AUDIO')),
    status         text NOT NULL CHECK (status IN ('PENDING', 'PROCESSING', 'READY', 'FAILED', 'HIDDEN')),
    mood           text CHECK (mood IN ('HYPE', 'CHILL', 'WILD', 'ROMANTIC', 'CRAZY', 'ELEGANT')),
    caption        text,
    tags           text[] NOT NULL DEFAULT '{}',
    content_type   text NOT NULL,
    -- Bytes that were received, and what they hash to: the same person's same bytes are one media.
    size           bigint NOT NULL,
    sha256         bytea NOT NULL,
    width          integer,
    height         integer,
    duration_ms    integer,
    thumbhash      text,
    failure        text,
    -- Raised by what must kill signed URLs at once.
    version        integer NOT NULL DEFAULT 1,
    -- Of what is served, once READY. Where the bytes are follows from the ids.
    file_size      bigint,
    preview_type   text,
    thumb_type     text,
    likes_count    integer NOT NULL DEFAULT 0,
    comments_count integer NOT NULL DEFAULT 0,
    views_count    integer NOT NULL DEFAULT 0,
    -- That of its party:new_media until READY, then for good that of its first party:media_ready.
    seq            bigint NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX media_once ON media (party_id, uploader_id, sha256) WHERE status <> 'FAILED';
CREATE INDEX media_page ON media (party_id, status, seq);
CREATE INDEX media_uploader ON media (uploader_id, party_id);

CREATE TABLE messages (
    id          uuid PRIMARY KEY,
    party_id    uuid NOT NULL REFERENCES parties ON DELETE CASCADE,
    sender_id   uuid NOT NULL REFERENCES people,
    type        text NOT NULL CHECK (type IN ('TEXT', 'IMAGE', 'VIDEO', 'AUDIO', 'SYSTEM')),
    content     text NOT NULL,
    media_id    uuid REFERENCES media ON DELETE SET NULL,
    reply_to_id uuid REFERENCES messages ON DELETE SET NULL,
    -- The sender's own name for it, which makes a resend harmless.
    client_id   text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    edited_at   timestamptz,
    deleted_at  timestamptz,
    seq         bigint NOT NULL DEFAULT 0
);
CREATE INDEX messages_page ON messages (party_id, seq);
-- What has to let go of a media, a message or a person that is deleted.
CREATE INDEX messages_media ON messages (media_id) WHERE media_id IS NOT NULL;
CREATE INDEX messages_reply_to ON messages (reply_to_id) WHERE reply_to_id IS NOT NULL;
CREATE INDEX messages_sender ON messages (sender_id);
CREATE UNIQUE INDEX messages_client ON messages (party_id, sender_id, client_id) WHERE client_id IS NOT NULL;

-- What happened in a party: ids and facts that name nobody. What is sent is made when it is sent.
CREATE TABLE events (
    party_id   uuid NOT NULL REFERENCES parties ON DELETE CASCADE,
    seq        bigint NOT NULL,
    kind       text NOT NULL,
    -- The media, message or person that it tells of.
    subject_id uuid,
    facts      jsonb NOT NULL DEFAULT '{}',
    -- Taken while the party's row is locked, so that it rises with seq.
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (party_id, seq)
);
CREATE INDEX events_age ON events (at);

-- Work without a request. A lease that ran out is claimed again; its token fences off who held it.
CREATE TABLE jobs (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind        text NOT NULL,
    payload     jsonb NOT NULL,
    -- When it may be claimed: of one that is held, when its lease ends.
    run_at      timestamptz NOT NULL DEFAULT now(),
    -- Of one that is held: drawn anew by each claim.
    lease_token uuid,
    -- Claims that were not taken back, the present one included.
    attempts    integer NOT NULL DEFAULT 0,
    last_error  text,
    -- Of a dead letter, which is not claimed any more.
    buried_at   timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX jobs_due ON jobs (kind, run_at) WHERE buried_at IS NULL;

-- The first answer to a request that may come again, sealed: it may hold what only its caller may see.
CREATE TABLE idempotency_keys (
    caller     text NOT NULL,
    key        text NOT NULL,
    -- Of operation and body.
    digest     bytea NOT NULL,
    answer     bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

INSERT INTO schema_meta (version, min_binary) VALUES (1, 1);
