//! A party and its people, put straight into a database: for tests that begin in the middle.

use party_gallery::{
    app::Exit,
    config::JwtSecrets,
    realtime::Kind,
    service::tokens::{ACCESS_TOKEN, Tokens},
};
use party_gallery_actors::health::wall_clock;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    app::TestApp,
    client::Client,
    database::{MIGRATED, connected, fresh},
    pod::Pod,
    secrets,
};

/// A database of the test's own, and the secret that its pods share.
pub struct Stage {
    url: String,
    secret: String,
}

/// Somebody, and how they show who they are.
#[derive(Clone, Debug)]
pub struct Somebody {
    /// Of the user or guest.
    pub id: Uuid,
    /// What their requests carry.
    pub bearer: String,
}

impl Stage {
    /// An empty one.
    pub async fn new() -> Self {
        Self::at(&fresh(&MIGRATED).await)
    }

    /// In the migrated database at `url`.
    pub fn at(url: &str) -> Self {
        Self::shared(url, &Uuid::new_v4().to_string())
    }

    /// In the migrated database at `url`, whose pods share `secret`.
    pub fn shared(url: &str, secret: &str) -> Self {
        Self { url: url.to_owned(), secret: secret.to_owned() }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A pod on it.
    pub async fn pod(&self, redis_url: &str) -> TestApp {
        self.pod_with(redis_url, &[]).await
    }

    /// A pod on it, with these variables.
    pub async fn pod_with(&self, redis_url: &str, more: &[(&str, &str)]) -> TestApp {
        let more = [more, &[("JWT_SECRET", self.secret.as_str())]].concat();
        let app = TestApp::start(&self.url, redis_url, &more).await;
        super::poll::eventually(super::DEADLINE, "the pod is ready", async || {
            app.get("/health").await.1["checks"]["database"]["status"] == "healthy"
        })
        .await;
        app
    }

    /// Somebody with an account.
    pub async fn user(&self) -> Somebody {
        let user = self.somebody(Kind::User);
        let name = format!("user_{}", user.id.simple());
        self.execute(
            "INSERT INTO people (id, is_guest, username, display_name) VALUES ($1, false, left($2, 30), $2)",
            &[&user.id, &name],
        )
        .await;
        user
    }

    /// Somebody who has joined `party` without an account.
    pub async fn guest(&self, party: Uuid) -> Somebody {
        let guest = self.somebody(Kind::Guest);
        let insert = "INSERT INTO people (id, is_guest, display_name) VALUES ($1, true, 'Guest')";
        self.execute(insert, &[&guest.id]).await;
        self.execute("INSERT INTO guests (person_id, party_id) VALUES ($1, $2)", &[&guest.id, &party]).await;
        self.place(party, &guest, "guest", "in", "GOING").await;
        guest
    }

    /// So many who have joined `party` without an account, in one statement.
    pub async fn guests(&self, party: Uuid, many: usize) -> Vec<Somebody> {
        let guests: Vec<_> = (0..many).map(|_| self.somebody(Kind::Guest)).collect();
        let ids: Vec<_> = guests.iter().map(|guest| guest.id).collect();
        let insert = "WITH come AS (
                INSERT INTO people (id, is_guest, display_name) SELECT id, true, 'Guest' FROM unnest($1::uuid[]) AS id
            ), guests AS (
                INSERT INTO guests (person_id, party_id) SELECT id, $2 FROM unnest($1::uuid[]) AS id
            )
            INSERT INTO attendances (party_id, person_id, role, state, rsvp)
            SELECT $2, id, 'guest', 'in', 'GOING' FROM unnest($1::uuid[]) AS id";
        self.execute(insert, &[&ids, &party]).await;
        guests
    }

    /// A screen's token.
    pub fn display(&self) -> Somebody {
        self.somebody(Kind::Display)
    }

    /// A party that `host` has made.
    pub async fn party(&self, host: &Somebody, status: &str, is_private: bool) -> Uuid {
        let id = Uuid::now_v7();
        self.execute(
            "INSERT INTO parties (id, host_id, title, status, starts_at, started_at, ended_at, is_private)
             VALUES ($1, $2, 'A party', $3, now() + interval '1 hour',
                 CASE WHEN $3 IN ('LIVE', 'ENDED') THEN now() - interval '1 hour' END,
                 CASE WHEN $3 = 'ENDED' THEN now() END, $4)",
            &[&id, &host.id, &status, &is_private],
        )
        .await;
        self.place(id, host, "host", "in", "GOING").await;
        id
    }

    /// Gives somebody a place in a party, or another one.
    pub async fn place(&self, party: Uuid, somebody: &Somebody, role: &str, state: &str, rsvp: &str) {
        if role == "cohost" && state == "in" {
            secrets::runs(party, somebody.id);
        }
        self.execute(
            "INSERT INTO attendances (party_id, person_id, role, state, rsvp) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (party_id, person_id) DO UPDATE
             SET role = excluded.role, state = excluded.state, rsvp = excluded.rsvp",
            &[&party, &somebody.id, &role, &state, &rsvp],
        )
        .await;
    }

    /// A photo that `uploader` has brought, in that status.
    pub async fn photo(&self, party: Uuid, uploader: &Somebody, status: &str) -> Uuid {
        let id = Uuid::now_v7();
        self.execute(
            "INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256)
             VALUES ($1, $2, $3, 'PHOTO', $4, 'image/jpeg', 1, uuid_send($1))",
            &[&id, &party, &uploader.id, &status],
        )
        .await;
        id
    }

    /// A photo that everybody sees, numbered as production does it: by the party's next number, while its row is held.
    pub async fn shown(&self, party: Uuid, uploader: &Somebody) -> Uuid {
        let id = Uuid::now_v7();
        self.execute(
            "WITH next AS (
                 UPDATE parties SET seq = seq + 1, media_count = media_count + 1 WHERE id = $2 RETURNING seq
             ), logged AS (
                 INSERT INTO events (party_id, seq, kind, subject_id, facts)
                 SELECT $2, seq, 'party:media_ready', $1, '{}' FROM next
             )
             INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256, file_size,
                 preview_type, thumb_type, seq)
             SELECT $1, $2, $3, 'PHOTO', 'READY', 'image/jpeg', 1, uuid_send($1), 1, 'image/jpeg', 'image/jpeg', seq
             FROM next",
            &[&id, &party, &uploader.id],
        )
        .await;
        id
    }

    /// Keeps a copy of each job that is left behind from now on, in `left_jobs`: jobs are soon done.
    pub async fn keep_jobs(&self) {
        self.execute("CREATE TABLE left_jobs (kind text, payload jsonb)", &[]).await;
        let rule = "CREATE RULE keep AS ON INSERT TO jobs
             DO ALSO INSERT INTO left_jobs VALUES (new.kind, new.payload)";
        self.execute(rule, &[]).await;
    }

    /// The only number that a query about one id gives.
    pub async fn number(&self, query: &str, id: Uuid) -> i64 {
        connected(&self.url, async |client| client.query_one(query, &[&id]).await.unwrap().get(0)).await
    }

    /// Logs an event, as the transaction of its cause does.
    pub async fn log(&self, party: Uuid, kind: &str, subject: Uuid, facts: &Value) -> i64 {
        connected(&self.url, async |client| {
            let append = "WITH next AS (UPDATE parties SET seq = seq + 1 WHERE id = $1 RETURNING seq)
                 INSERT INTO events (party_id, seq, kind, subject_id, facts)
                 SELECT $1, seq, $2, $3, $4 FROM next RETURNING seq";
            client.query_one(append, &[&party, &kind, &subject, facts]).await.unwrap().get(0)
        })
        .await
    }

    /// Says that many things more in a party, all at once, in its host's name: each a number and `filling`.
    pub async fn say_many(&self, party: Uuid, many: i64, filling: &str) {
        self.execute(
            "WITH said AS (
                 INSERT INTO messages (id, party_id, sender_id, seq, type, content)
                 SELECT gen_random_uuid(), id, host_id, n, 'TEXT', left(n || ' ' || $3, 2000)
                 FROM parties, generate_series(seq + 1, seq + $2) AS n WHERE id = $1
                 RETURNING id, seq
             ), logged AS (
                 INSERT INTO events (party_id, seq, kind, subject_id, facts)
                 SELECT $1, seq, 'chat:new_message', id, '{}' FROM said ORDER BY seq
             )
             UPDATE parties SET seq = seq + $2 WHERE id = $1",
            &[&party, &many, &filling],
        )
        .await;
    }

    /// Numbers and kinds of what was logged of a party, in order.
    pub async fn events(&self, party: Uuid) -> Vec<(i64, String)> {
        connected(&self.url, async |client| {
            let rows = client
                .query("SELECT seq, kind FROM events WHERE party_id = $1 ORDER BY seq", &[&party])
                .await;
            rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
        })
        .await
    }

    /// How many jobs there are, dead letters too.
    pub async fn jobs(&self) -> i64 {
        connected(&self.url, async |client| {
            client.query_one("SELECT count(*) FROM jobs", &[]).await.unwrap().get(0)
        })
        .await
    }

    /// Works on a party's row for as long as `during` takes.
    pub async fn working_on<T>(&self, party: Uuid, during: impl AsyncFnOnce() -> T) -> T {
        connected(&self.url, async |client| {
            client.batch_execute("BEGIN").await.unwrap();
            let lock = "SELECT id FROM parties WHERE id = $1 FOR NO KEY UPDATE";
            client.query_one(lock, &[&party]).await.unwrap();
            let done = during().await;
            client.batch_execute("COMMIT").await.unwrap();
            done
        })
        .await
    }

    /// How many statements of others wait for a lock in its database.
    pub async fn waiting(&self) -> i64 {
        connected(&self.url, async |client| {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
            client.query_one(waiting, &[]).await.unwrap().get(0)
        })
        .await
    }

    /// Runs a statement.
    pub async fn execute(&self, statement: &str, parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)]) {
        self.changed(statement, parameters).await;
    }

    /// Runs a statement. Gives how many rows it changed.
    pub async fn changed(
        &self,
        statement: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> u64 {
        connected(&self.url, async |client| client.execute(statement, parameters).await.unwrap()).await
    }

    fn somebody(&self, kind: Kind) -> Somebody {
        let secrets: JwtSecrets = self.secret.parse().unwrap();
        let id = Uuid::now_v7();
        let token = Tokens::new(&secrets, wall_clock).issue(kind, id, ACCESS_TOKEN).unwrap();
        secrets::belongs(token.expose(), id);
        Somebody { id, bearer: format!("Bearer {}", token.expose()) }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// HTTP's.
    pub status: u16,
    /// JSON, or null.
    pub body: Value,
    /// What else was said.
    pub headers: reqwest::header::HeaderMap,
}

/// Asks a pod for something in somebody's name, or in nobody's.
pub async fn ask(
    pod: &impl Pod,
    caller: Option<&Somebody>,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Reply {
    let mut request = Client::new().request(method, format!("http://{}{path}", pod.at()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(caller) = caller {
        request = request.header("authorization", &caller.bearer);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Reply {
        status,
        headers,
        body: serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(json!(null)),
    }
}

/// Drains a pod, which must end well.
pub async fn stop(mut app: TestApp) {
    assert_eq!(app.stop().await, Exit::Clean);
}
