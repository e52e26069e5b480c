//! Who waits for their turn at a party, and is put out meanwhile by those in front of them, or finds it cancelled.

use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    database::connected,
    gathering::{form, upload},
    pictures,
    poll::eventually,
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
};

const BANNED: &str = "UPDATE attendances SET state = 'banned' WHERE party_id = $1 AND role = 'attendee'";
const CANCELLED: &str = "UPDATE parties SET status = 'CANCELLED' WHERE id = $1";

/// A party with a photo and a message, and somebody who is in.
struct Scene<'a> {
    app: &'a TestApp,
    party: Uuid,
    who: Somebody,
    photo: Uuid,
    message: String,
}

impl<'a> Scene<'a> {
    async fn new(stage: &Stage, app: &'a TestApp) -> Self {
        let host = stage.user().await;
        let party = stage.party(&host, "LIVE", false).await;
        let who = stage.user().await;
        stage.place(party, &who, "attendee", "in", "GOING").await;
        let photo = stage.shown(party, &host).await;
        let path = format!("/api/v1/parties/{party}/chat/messages");
        let said = ask(app, Some(&host), Method::POST, &path, &[], Some(json!({ "content": "Hello" }))).await;
        let message = said.body["data"]["message"]["id"].as_str().unwrap().to_owned();
        Self { app, party, who, photo, message }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<serde_json::Value>) -> Reply {
        ask(self.app, Some(&self.who), method, &format!("/api/v1{path}"), &[], body).await
    }
}

type Attempt = for<'a> fn(&'a Scene<'a>) -> BoxFuture<'a, Reply>;

const ATTEMPTS: [(&str, Attempt); 4] = [
    ("an upload", |scene| {
        let photo = form(pictures::jpeg(320, 240), "a.jpg");
        Box::pin(upload(scene.app, Some(&scene.who), scene.party, photo, &[]))
    }),
    ("a message", |scene| {
        let path = format!("/parties/{}/chat/messages", scene.party);
        Box::pin(async move { scene.ask(Method::POST, &path, Some(json!({ "content": "Hi" }))).await })
    }),
    ("a comment", |scene| {
        let path = format!("/media/{}/comments", scene.photo);
        Box::pin(async move { scene.ask(Method::POST, &path, Some(json!({ "content": "Hi" }))).await })
    }),
    ("a reaction", |scene| {
        let path = format!("/parties/{}/chat/messages/{}/reactions/🎉", scene.party, scene.message);
        Box::pin(async move { scene.ask(Method::PUT, &path, None).await })
    }),
];

#[tokio::test]
async fn who_is_put_out_while_they_wait_for_their_turn_adds_nothing_and_nobody_waits_in_a_circle() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    for (name, attempt) in ATTEMPTS {
        for (change, status) in [(BANNED, 403), (CANCELLED, 409)] {
            let scene = Scene::new(&stage, &app).await;
            let before = stage.events(scene.party).await;
            let is_held = Notify::new();
            let attempt = async {
                is_held.notified().await;
                attempt(&scene).await
            };
            let in_front = connected(stage.url(), async |client| {
                client.batch_execute("BEGIN").await.unwrap();
                let held = "SELECT id FROM parties WHERE id = $1 FOR NO KEY UPDATE";
                client.query_one(held, &[&scene.party]).await.unwrap();
                is_held.notify_one();
                eventually(DEADLINE, "the attempt waits", async || stage.waiting().await > 0).await;
                client.execute(change, &[&scene.party]).await.unwrap();
                client.batch_execute("COMMIT").await.unwrap();
            });
            let (reply, ()) = tokio::join!(attempt, in_front);
            assert_eq!(reply.status, status, "{name}: {:?}", reply.body);
            assert_eq!(stage.events(scene.party).await, before, "{name}");
        }
    }
    stop(app).await;
}
