//! A million media, and parties of any size.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::support::{
    database::connected,
    stage::{Somebody, Stage},
};

const MEDIA: u32 = 1_000_000;
const PEOPLE: u32 = 10_000;

/// The prefixes of ids.
const PERSON: u128 = 1 << 64;
const PARTY: u128 = 2 << 64;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub parties: u32,
    pub media_each: u32,
}

impl Size {
    /// A million media in a thousand parties, or as many as `MEDIA` says in fewer.
    #[expect(clippy::disallowed_methods, reason = "the bench's own configuration")]
    pub fn asked_for() -> Self {
        let media = std::env::var("MEDIA").map_or(MEDIA, |media| media.parse().unwrap());
        Self { parties: (media / 1_000).max(1), media_each: 1_000 }
    }

    pub fn media(self) -> u32 {
        self.parties * self.media_each
    }
}

pub fn person(n: u32) -> Uuid {
    Uuid::from_u128(PERSON + u128::from(n))
}

pub fn party(n: u32) -> Uuid {
    Uuid::from_u128(PARTY + u128::from(n))
}

/// Fills a migrated database, and tells how long it took. Media come as they do from parties that go on at the same time:
/// those of one lie far apart.
pub async fn fill(url: &str, Size { parties, media_each }: Size) -> Duration {
    let began = Instant::now();
    let id = |kind: u32, n: &str| format!("lpad({kind} || lpad(to_hex({n}), 16, '0'), 32, '0')::uuid");
    let (person, party) = (id(1, "n"), id(2, "n"));
    let (of_party, media) = (id(2, "p"), id(3, &format!("n * {parties} + p")));
    let uploader = id(1, &format!("(p * 31 + n % 100) % {PEOPLE} + 1"));
    let statements = format!(
        "INSERT INTO people (id, is_guest, username, display_name, first_name, last_name)
         SELECT {person}, false, 'user_' || n, 'User Number ' || n, 'User', 'Number ' || n
         FROM generate_series(1, {PEOPLE}) n;
         INSERT INTO parties (id, host_id, title, status, starts_at, started_at, is_private, seq, media_count)
         SELECT {party}, {person}, 'Party ' || n, 'LIVE', now(), now(), false, {media_each}, {media_each}
         FROM generate_series(1, {parties}) n;
         INSERT INTO attendances (party_id, person_id, role)
         SELECT {party}, {person}, 'host' FROM generate_series(1, {parties}) n;
         INSERT INTO media (id, party_id, uploader_id, type, status, mood, caption, tags, content_type, size, sha256,
             width, height, thumbhash, file_size, preview_type, thumb_type, likes_count, views_count, seq)
         SELECT {media}, {of_party}, {uploader}, 'PHOTO', 'READY', 'HYPE', 'What a night, number ' || n,
             ARRAY['cake', 'dance'], 'image/jpeg', 2000000, uuid_send({media}), 4000, 3000,
             '1QcSHQRnh493V4dIh4eXh1h4kJUI', 1900000, 'image/jpeg', 'image/jpeg', n * 7 % 50, n, n
         FROM generate_series(1, {media_each}) n, generate_series(1, {parties}) p
         ORDER BY n, p;
         INSERT INTO media_likes (media_id, person_id)
         SELECT {media}, {person_of_like} FROM generate_series(1, {media_each}) n, generate_series(1, least({parties}, 100)) p,
             generate_series(1, 3) l;",
        person_of_like = id(1, "l"),
    );
    connected(url, async |client| {
        client.batch_execute("SET statement_timeout = 0").await.unwrap();
        client.batch_execute(&statements).await.unwrap();
        client.batch_execute("VACUUM ANALYZE").await.unwrap();
    })
    .await;
    began.elapsed()
}

/// A party that goes on, with so many attendees, all of them with accounts; and one of them.
pub async fn crowd(stage: &Stage, attendees: i64) -> (Uuid, Somebody) {
    let (host, guest) = (stage.user().await, stage.user().await);
    let party = stage.party(&host, "LIVE", false).await;
    stage.place(party, &guest, "attendee", "in", "GOING").await;
    let fans = "WITH fans AS (
             INSERT INTO people (id, is_guest, username, display_name)
             SELECT gen_random_uuid(), false, 'fan_' || $2::bigint || '_' || n, 'Fan'
             FROM generate_series(3, $2::bigint) n
             RETURNING id
         )
         INSERT INTO attendances (party_id, person_id, role) SELECT $1, id, 'attendee' FROM fans";
    stage.execute(fans, &[&party, &attendees]).await;
    let accounts = "INSERT INTO accounts (person_id, email, password_hash)
         SELECT id, username || '@example.com', '' FROM people ON CONFLICT DO NOTHING";
    stage.execute(accounts, &[]).await;
    (party, guest)
}
