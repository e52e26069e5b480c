//! A party with everybody in it whom the contract names, with something of each kind, and a way back to how it was.

use std::collections::BTreeMap;

use party_gallery::realtime::Kind;
use reqwest::{
    Method, StatusCode,
    header::RETRY_AFTER,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::table::CALLERS;
use crate::support::{
    DEADLINE, pictures,
    poll::eventually,
    scene::{Somebody, Stage},
    secrets,
};

/// Rates that are not what refuses.
const UNHURRIED: [(&str, &str); 9] = [
    ("RATE_CHAT", "100000/s"),
    ("RATE_FAILED_LOGINS", "100000/s"),
    ("RATE_FAILED_LOGINS_BY_ADDRESS", "100000/s"),
    ("RATE_JOINS", "100000/s"),
    ("RATE_REFRESHES", "100000/s"),
    ("RATE_REQUESTS", "100000/s"),
    ("RATE_REQUESTS_BY_ADDRESS", "100000/s"),
    ("RATE_UNKNOWN_CODES", "100000/s"),
    ("RATE_UPLOADS", "100000/s"),
];

const PASSWORD: &str = "a long password that nobody has";

/// Restores what was kept. Jobs stay undone from then on, so that nothing changes but by a request.
const SNAPSHOT: &str = include_str!("snapshot.sql");

/// The pod, who calls it, and what there is.
pub(super) struct Ground {
    stage: Stage,
    /// Kept open: what is done after every request must not take long.
    database: Client,
    callers: BTreeMap<&'static str, Option<Somebody>>,
    /// What a path or a body may name.
    names: BTreeMap<&'static str, String>,
    file: Vec<u8>,
}

impl Ground {
    /// Everything in its place, and kept to come back to.
    pub(super) async fn new() -> Self {
        let stage = Stage::open(&UNHURRIED).await;
        let database = kept_open(stage.database()).await;
        let (callers, names) = (BTreeMap::new(), BTreeMap::new());
        let mut ground = Self { stage, database, callers, names, file: pictures::jpeg(16, 16) };
        ground.people().await;
        ground.things().await;
        ground.screens().await;
        ground.accounts().await;
        eventually(DEADLINE, "nothing is left to do", async || {
            ground.stage.number("SELECT count(*) FROM jobs WHERE run_at < now() + interval '5 min'").await
                == 0
        })
        .await;
        ground.stage.sql(SNAPSHOT).await;
        ground
    }

    /// Everything as it was, and the party in that state.
    pub(super) async fn restore(&self, state: &str) {
        self.database.batch_execute(&format!("SELECT before.restore(); {state}")).await.unwrap();
        secrets::runs(self.names["party"].parse().unwrap(), self.names["cohost"].parse().unwrap());
    }

    /// A number for all that is in the database.
    pub(super) async fn fingerprint(&self) -> i64 {
        self.database.query_one("SELECT before.fingerprint()", &[]).await.unwrap().get(0)
    }

    /// What somebody hears. A pod that says to come again is asked again.
    pub(super) async fn ask(&self, operation: &str, body: &str, caller: &str) -> (StatusCode, String) {
        self.ask_by(operation, body, self.callers[caller].as_ref()).await
    }

    pub(super) async fn ask_by(
        &self,
        operation: &str,
        body: &str,
        by: Option<&Somebody>,
    ) -> (StatusCode, String) {
        let (method, path) = operation.split_once(' ').unwrap();
        let (method, path): (Method, _) = (method.parse().unwrap(), self.named(path));
        eventually(DEADLINE, "the pod has time", async || {
            let request = self.stage.request(method.clone(), &path, by);
            let answer = match body {
                "" => request.send().await,
                "FILE" => {
                    let part = Part::bytes(self.file.clone()).file_name("a.jpg");
                    request.multipart(Form::new().part("file", part)).send().await
                }
                json => {
                    request.header("content-type", "application/json").body(self.named(json)).send().await
                }
            };
            // A connection that was just closed for it was idle
            let answer = answer.ok()?;
            let (status, told) = (answer.status(), answer.headers().contains_key(RETRY_AFTER));
            let said = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
            let comes_again = told && status == StatusCode::SERVICE_UNAVAILABLE;
            (!comes_again).then_some((status, said))
        })
        .await
    }

    fn named(&self, text: &str) -> String {
        self.names
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// What is done to make the ground, which nobody refuses.
    async fn done(&self, operation: &str, body: &str, caller: &str) -> Value {
        let (status, said) = self.ask(operation, body, caller).await;
        assert!(status.is_success(), "{operation} by {caller}: {status} {said}");
        let said: Value = serde_json::from_str(&said).unwrap_or_default();
        said["data"].clone()
    }

    fn name(&mut self, name: &'static str, value: &Value) {
        let value = value.as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        self.names.insert(name, value);
    }

    async fn people(&mut self) {
        let host = self.stage.user("host").await;
        let party = self.stage.party(&host, json!({ "isPrivate": true })).await;
        let elsewhere = self.stage.party(&host, json!({ "isPrivate": true })).await;
        self.name("party", &party["id"]);
        self.name("code", &party["accessCode"]);
        self.name("elsewhere", &elsewhere["id"]);
        self.stage
            .sql(&self.named("UPDATE parties SET status = 'LIVE', started_at = now() WHERE id = '{party}'"))
            .await;
        self.callers.insert("host", Some(host));
        for (name, username, role) in [
            ("cohost", "cohost", "cohost"),
            ("uploader", "uploader", "attendee"),
            ("going", "going", "attendee"),
            ("maybe", "maybe", "attendee"),
            ("not_going", "not_going", "attendee"),
            ("left", "left_one", "attendee"),
            ("removed", "removed", "attendee"),
            ("banned", "banned", "attendee"),
        ] {
            let user = self.stage.user(username).await;
            self.place(user.id, role).await;
            self.callers.insert(name, Some(user));
        }
        for name in ["guest", "gone guest", "banned guest"] {
            let guest = self.stage.guest(&party["accessCode"], "Guest").await;
            self.callers.insert(name, Some(guest));
        }
        let foreign = self.stage.guest(&elsewhere["accessCode"], "Foreign").await;
        self.callers.insert("foreign guest", Some(foreign));
        self.callers.insert("stranger", Some(self.stage.user("stranger").await));
        self.callers.insert("nobody", None);
        let target = self.stage.user("target").await;
        self.names.insert("target", target.id.to_string());
        for (name, somebody) in &self.callers {
            self.names.extend(somebody.as_ref().map(|somebody| (*name, somebody.id.to_string())));
        }
    }

    async fn place(&self, person: Uuid, role: &str) {
        let place =
            "INSERT INTO attendances (party_id, person_id, role) VALUES ('{party}', 'person', 'role')";
        let place = self.named(place).replace("'person'", &format!("'{person}'"));
        self.stage.sql(&place.replace("'role'", &format!("'{role}'"))).await;
    }

    async fn things(&mut self) {
        let upload = "POST /parties/{party}/media";
        for (name, caller) in [("photo", "uploader"), ("left photo", "left"), ("hidden", "uploader")] {
            self.file = pictures::salted_jpeg(16, 16, u32::try_from(self.names.len()).unwrap());
            let media = self.done(upload, "FILE", caller).await;
            self.name(name, &media["media"]["id"]);
            let path = format!("GET /media/{{{name}}}");
            eventually(DEADLINE, "it is READY", async || {
                self.done(&path, "", "host").await["media"]["status"] == "READY"
            })
            .await;
        }
        self.file = pictures::salted_jpeg(16, 16, 99);
        self.done("POST /media/{hidden}/hide", "{}", "host").await;
        let comment = r#"{"content":"x"}"#;
        let comment = self.done("POST /media/{photo}/comments", comment, "uploader").await;
        self.name("comment", &comment["comment"]["id"]);
        let message =
            self.done("POST /parties/{party}/chat/messages", r#"{"content":"x"}"#, "uploader").await;
        self.name("message", &message["message"]["id"]);
        self.names.insert("emoji", "%F0%9F%91%8D".to_owned());
        let party = self.done("PUT /parties/{party}/cover", "FILE", "host").await;
        self.picture("cover", &party["party"]["coverImageUrl"]);
        let user = self.done("PUT /users/me/avatar", "FILE", "uploader").await;
        self.picture("avatar", &user["user"]["avatarUrl"]);
        let device = r#"{"token":"a push token","platform":"ios"}"#;
        let device = self.done("POST /devices", device, "going").await;
        self.name("device", &device["device"]["id"]);
        self.done("PUT /users/{going}/follow", "", "uploader").await;
        self.done("PUT /users/{uploader}/follow", "", "going").await;
        let notification = Uuid::now_v7().to_string();
        self.names.insert("notification", notification);
        let places = "
            INSERT INTO notifications (id, person_id, type, cause) VALUES ('{notification}', '{going}', 'SYSTEM', 'x');
            UPDATE attendances SET rsvp = 'MAYBE' WHERE person_id = '{maybe}';
            UPDATE attendances SET rsvp = 'NOT_GOING' WHERE person_id = '{not_going}';
            UPDATE attendances SET state = 'left' WHERE person_id IN ('{left}', '{gone guest}');
            UPDATE attendances SET state = 'removed' WHERE person_id = '{removed}';
            UPDATE attendances SET state = 'banned' WHERE person_id IN ('{banned}', '{banned guest}')";
        self.stage.sql(&self.named(places)).await;
    }

    async fn screens(&mut self) {
        for (name, path) in [
            ("display", "POST /parties/{party}/displays"),
            ("foreign display", "POST /parties/{elsewhere}/displays"),
            ("revoked display", "POST /parties/{party}/displays"),
        ] {
            let made = self.done(path, "{}", "host").await;
            self.name(name, &made["display"]["id"]);
            let (id, token) = (self.names[name].parse().unwrap(), made["token"].as_str().unwrap().to_owned());
            self.callers.insert(name, Some(Somebody { id, token }));
        }
        self.done("DELETE /parties/{party}/displays/{revoked display}", "", "host").await;
        assert_eq!(self.callers.len(), CALLERS.len());
    }

    /// All have the password of somebody whom nobody else knows.
    async fn accounts(&mut self) {
        self.names.insert("password", PASSWORD.to_owned());
        let somebody = r#"{"email":"somebody@example.com","password":"{password}","username":"somebody",
            "firstName":"S","lastName":"B"}"#;
        let signed_in = self.done("POST /auth/register", somebody, "nobody").await;
        self.name("refresh token", &signed_in["refreshToken"]);
        let same = "UPDATE accounts SET password_hash = (
            SELECT password_hash FROM accounts WHERE email = 'somebody@example.com')";
        self.stage.sql(same).await;
    }

    /// Somebody whose token says nothing.
    pub(super) fn liar(&self) -> Somebody {
        let token = self.stage.token(Kind::User, Uuid::now_v7());
        Somebody { id: Uuid::now_v7(), token: token[..token.len() - 4].to_owned() }
    }

    fn picture(&mut self, name: &'static str, url: &Value) {
        let url = url.as_str().unwrap();
        let path = url.split('?').next().unwrap();
        self.names.insert(name, path.rsplit('/').next().unwrap().to_owned());
    }
}

/// A connection that ends with the test.
#[expect(clippy::disallowed_methods, reason = "the test's own runtime ends it")]
async fn kept_open(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
