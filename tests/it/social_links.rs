//! Links to where else a user is to be found.

use party_gallery::realtime::Kind;
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::scene::{Reply, Somebody, Stage, sent};

async fn put(stage: &Stage, of: Uuid, by: Option<&Somebody>, body: &Value) -> Reply {
    sent(stage.request(Method::PUT, &format!("/users/{of}/social-links"), by).json(body)).await
}

async fn links(stage: &Stage, of: Uuid) -> Value {
    let reply = stage.get(&format!("/users/{of}/social-links"), None).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["data"].clone()
}

#[tokio::test]
async fn links_are_replaced_as_a_whole_and_seen_by_everybody() {
    let stage = Stage::open(&[]).await;
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    assert_eq!(links(&stage, ada.id).await, json!([]));
    let sent_links = json!([
        { "platform": "spotify", "url": "https://open.spotify.com/user/ada" },
        { "platform": "instagram", "url": "https://WWW.instagram.com/ada" },
    ]);
    let shown = json!([
        { "platform": "instagram", "url": "https://www.instagram.com/ada" },
        { "platform": "spotify", "url": "https://open.spotify.com/user/ada" },
    ]);
    for _ in 0..2 {
        let reply = put(&stage, ada.id, Some(&ada), &sent_links).await;
        assert_eq!((reply.status.as_u16(), &reply.body["data"]), (200, &shown), "{}", reply.body);
    }
    assert_eq!(links(&stage, ada.id).await, shown);
    assert_eq!(links(&stage, bob.id).await, json!([]), "hers are not his");
    let other = json!([{ "platform": "twitter", "url": "https://x.com/ada" }]);
    assert_eq!(put(&stage, ada.id, Some(&ada), &other).await.body["data"], other);
    assert_eq!(links(&stage, ada.id).await, other);

    let path = format!("/users/{}/social-links", ada.id);
    let etag = stage.get(&path, Some(&bob)).await.header("etag").to_owned();
    let again = stage.request(Method::GET, &path, Some(&bob)).header("if-none-match", etag);
    assert_eq!(sent(again).await.status, 304);
    assert_eq!(put(&stage, ada.id, Some(&ada), &json!([])).await.body["data"], json!([]));
    assert_eq!(links(&stage, ada.id).await, json!([]));
}

#[tokio::test]
async fn what_is_no_list_of_links_changes_nothing() {
    let stage = Stage::open(&[]).await;
    let ada = stage.user("ada").await;
    let good = json!([{ "platform": "twitter", "url": "https://x.com/ada" }]);
    assert_eq!(put(&stage, ada.id, Some(&ada), &good).await.status, 200);
    for (body, code) in [
        (json!([{ "platform": "twitter", "url": "https://evil.example/x.com" }]), "VALIDATION_ERROR"),
        (json!([{ "platform": "myspace", "url": "https://myspace.com/ada" }]), "VALIDATION_ERROR"),
        (json!([good[0], good[0]]), "VALIDATION_ERROR"),
        (json!(vec![good[0].clone(); 100]), "VALIDATION_ERROR"),
        (json!([null]), "VALIDATION_ERROR"),
        (json!({ "platform": "twitter", "url": "https://x.com/ada" }), "MALFORMED_BODY"),
        (json!("x"), "MALFORMED_BODY"),
        (json!(null), "MALFORMED_BODY"),
    ] {
        let reply = put(&stage, ada.id, Some(&ada), &body).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, code), "{body}");
    }
    let path = format!("/users/{}/social-links", ada.id);
    for (body, kind, status) in
        [("", "application/json", 400), ("[", "application/json", 400), ("[]", "text/plain", 415)]
    {
        let request = stage.request(Method::PUT, &path, Some(&ada)).header(CONTENT_TYPE, kind).body(body);
        assert_eq!(sent(request).await.status, status, "{body:?} as {kind}");
    }
    let huge = json!([{ "platform": "twitter", "url": "x".repeat(300_000) }]);
    assert_eq!(put(&stage, ada.id, Some(&ada), &huge).await.status, 413);
    assert_eq!(links(&stage, ada.id).await, good);
}

#[tokio::test]
async fn links_are_set_by_nobody_else() {
    let stage = Stage::open(&[]).await;
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&bob, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&party["accessCode"], "Guest").await;
    let screen = Somebody { id: Uuid::nil(), token: stage.token(Kind::Display, Uuid::now_v7()) };
    let good = json!([{ "platform": "twitter", "url": "https://x.com/ada" }]);
    for (by, status) in [(None, 401), (Some(&bob), 403), (Some(&guest), 403), (Some(&screen), 403)] {
        for body in [&good, &json!([7])] {
            assert_eq!(put(&stage, ada.id, by, body).await.status, status, "{by:?}");
            for unknown in [Uuid::now_v7(), guest.id] {
                assert_eq!(put(&stage, unknown, by, body).await.status, 404, "{by:?}");
            }
        }
        let unknown = format!("/users/{}/social-links", Uuid::now_v7());
        assert_eq!(stage.get(&unknown, by).await.status, 404);
    }
    assert_eq!(links(&stage, ada.id).await, json!([]));
}
