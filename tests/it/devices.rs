//! Devices: whoever brings a token last has it, and nobody has too many.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use party_gallery::realtime::Kind;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    client::Client,
    poll::eventually,
    scene::{Reply, Somebody, Stage, sent},
};

async fn bring(stage: &Stage, who: &Somebody, token: &str) -> Reply {
    stage.post("/devices", Some(who), &json!({ "token": token, "platform": "ios" })).await
}

async fn forget(stage: &Stage, who: Option<&Somebody>, id: &Value) -> u16 {
    let path = format!("/devices/{}", id.as_str().unwrap());
    sent(stage.request(Method::DELETE, &path, who)).await.status.as_u16()
}

#[tokio::test]
async fn a_device_is_its_last_user_s() {
    let stage = Stage::open(&[]).await;
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    // More than an index takes, and nothing that could be made smaller
    let token: String = (0..128).map(|_| Uuid::new_v4().simple().to_string()).collect();
    let first = bring(&stage, &ada, &token).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let device = &first.body["data"]["device"];
    assert_eq!(*device, json!({ "id": device["id"], "platform": "ios", "createdAt": device["createdAt"] }));
    assert_eq!(first.header("location"), format!("/api/v1/devices/{}", device["id"].as_str().unwrap()));
    let again = bring(&stage, &ada, &token).await;
    assert_eq!((again.status.as_u16(), &again.body["data"]["device"]), (200, device));
    let updated = stage.post("/devices", Some(&ada), &json!({ "token": token, "platform": "web" })).await;
    assert_eq!(updated.body["data"]["device"]["platform"], "web");
    assert_eq!(updated.body["data"]["device"]["id"], device["id"]);

    let moved = bring(&stage, &bob, &token).await;
    assert_eq!(moved.status, 201, "{}", moved.body);
    let theirs = &moved.body["data"]["device"]["id"];
    assert_ne!(theirs, &device["id"]);
    assert_eq!(stage.number("SELECT count(*) FROM devices").await, 1);
    for (who, id, status) in
        [(&ada, &device["id"], 404), (&ada, theirs, 404), (&bob, theirs, 204), (&bob, theirs, 404)]
    {
        assert_eq!(forget(&stage, Some(who), id).await, status);
    }
    assert_eq!(forget(&stage, Some(&bob), &json!("7")).await, 404);

    let request = |body: Value| {
        stage.request(Method::POST, "/devices", Some(&ada)).header("idempotency-key", "k").json(&body)
    };
    let body = json!({ "token": "t", "platform": "android" });
    let (one, two) = (sent(request(body.clone())).await, sent(request(body)).await);
    assert_eq!((one.status.as_u16(), two.status.as_u16(), &one.body), (201, 201, &two.body));
    assert_eq!(two.header("idempotency-replayed"), "true");
    let other = sent(request(json!({ "token": "u", "platform": "android" }))).await;
    assert_eq!(other.code(), "IDEMPOTENCY_MISMATCH");
    let bad = stage.post("/devices", Some(&ada), &json!({ "token": "", "platform": "fax" })).await;
    assert_eq!((bad.status.as_u16(), bad.body["errors"].as_array().unwrap().len()), (400, 2));
}

#[tokio::test]
async fn of_more_than_twenty_the_oldest_go_however_many_come_at_once() {
    let stage = Stage::open(&[]).await;
    let other = stage.another_pod().await;
    let ada = stage.user("ada").await;
    let oldest = bring(&stage, &ada, "first").await.body["data"]["device"]["id"].clone();
    let bring = async |n: usize| {
        let body = json!({ "token": format!("t{n}"), "platform": "ios" });
        let pod = if n.is_multiple_of(2) { &stage.app } else { &other };
        eventually(DEADLINE, "it is taken", async || {
            let request = Client::new().post(pod.url("/api/v1/devices")).bearer_auth(&ada.token);
            let reply = sent(request.json(&body)).await;
            (reply.status != 503).then_some(reply.status.as_u16())
        })
        .await
    };
    assert_eq!(
        join_all((0..40).map(bring)).await.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([201])
    );
    assert_eq!(stage.number("SELECT count(*) FROM devices").await, 20);
    assert_eq!(forget(&stage, Some(&ada), &oldest).await, 404, "it was the first to go");
    // The same at once by many is one
    stage.sql("DELETE FROM devices").await;
    let outcomes = join_all((0..12).map(|_| bring(1000))).await;
    assert_eq!(outcomes.iter().filter(|status| **status == 201).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|status| matches!(status, 200 | 201)));
}

#[tokio::test]
async fn only_users_have_devices() {
    let stage = Stage::open(&[]).await;
    let somebody = |kind| {
        let id = Uuid::now_v7();
        Some(Somebody { id, token: stage.token(kind, id) })
    };
    for (caller, expected) in [
        (somebody(Kind::Guest), 403),
        (somebody(Kind::Display), 403),
        (None, 401),
        (Some(Somebody { id: Uuid::nil(), token: "x".to_owned() }), 401),
        // Their account is gone, and their token is still good
        (somebody(Kind::User), 401),
    ] {
        let body = json!({ "token": "t", "platform": "ios" });
        assert_eq!(stage.post("/devices", caller.as_ref(), &body).await.status, expected, "{caller:?}");
        let gone = caller.as_ref().is_some_and(|caller| caller.token.len() > 1) && expected == 401;
        let expected = if gone { 404 } else { expected };
        assert_eq!(forget(&stage, caller.as_ref(), &json!(Uuid::now_v7())).await, expected, "{caller:?}");
    }
}
