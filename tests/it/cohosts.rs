//! Who helps the host.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    poll::eventually,
    scene::{Reply, Somebody, Stage, id, sent},
};

const COUNT: &str = "SELECT attendees_count::bigint FROM parties";

async fn cohost(stage: &Stage, method: Method, party: &Value, by: &Somebody, user: Uuid) -> Reply {
    let path = format!("/parties/{}/cohosts/{user}", party["id"].as_str().unwrap());
    sent(stage.request(method, &path, Some(by))).await
}

#[tokio::test]
async fn a_host_makes_cohosts_and_unmakes_them() {
    let stage = Stage::open(&[]).await;
    let (host, ann, bob) = (stage.user("ada").await, stage.user("ann").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "status": "DRAFT", "isPrivate": true, "maxAttendees": 2 })).await;
    let path = format!("/parties/{}", party["id"].as_str().unwrap());
    assert_eq!(stage.get(&path, Some(&ann)).await.status, 404);
    for seq in [1, 1] {
        let made = cohost(&stage, Method::PUT, &party, &host, ann.id).await;
        assert_eq!((made.status.as_u16(), &made.body), (204, &Value::Null));
        assert_eq!(stage.number("SELECT seq FROM parties").await, seq, "once");
    }
    assert_eq!(stage.number(COUNT).await, 1, "a cohost takes a seat");
    let seen = stage.get(&path, Some(&ann)).await;
    assert_eq!(seen.body["data"]["party"]["viewer"]["role"], "cohost");
    assert_eq!(seen.body["data"]["party"]["accessCode"], party["accessCode"]);
    let told = "SELECT (SELECT count(*) FROM jobs WHERE payload -> 'cause' ->> 'type' = 'PARTY_INVITE')
        + (SELECT count(*) FROM notifications WHERE type = 'PARTY_INVITE')";
    eventually(DEADLINE, "who was made one is to be told", async || stage.number(told).await == 1).await;

    stage.sql("UPDATE parties SET status = 'LIVE'").await;
    let code = json!({ "accessCode": party["accessCode"] });
    stage.post(&format!("{path}/join"), Some(&bob), &code).await;
    assert_eq!(cohost(&stage, Method::PUT, &party, &host, bob.id).await.status, 204);
    assert_eq!(stage.number(COUNT).await, 2, "who is in has a seat already");
    let third = stage.user("cy").await;
    let full = cohost(&stage, Method::PUT, &party, &host, third.id).await;
    assert_eq!((full.status.as_u16(), full.code()), (409, "PARTY_FULL"));
    assert_eq!(cohost(&stage, Method::PUT, &party, &host, host.id).await.code(), "CONFLICT");

    for seq in [4, 4] {
        assert_eq!(cohost(&stage, Method::DELETE, &party, &host, ann.id).await.status, 204);
        assert_eq!(stage.number("SELECT seq FROM parties").await, seq, "once");
    }
    let seen = stage.get(&path, Some(&ann)).await;
    assert_eq!(
        seen.body["data"]["party"]["viewer"],
        json!({ "role": "attendee", "rsvp": "GOING", "isFavorite": false })
    );
    assert_eq!(
        cohost(&stage, Method::DELETE, &party, &host, host.id).await.status,
        204,
        "who is none stays so"
    );
    assert_eq!(cohost(&stage, Method::DELETE, &party, &host, Uuid::now_v7()).await.status, 204);
    assert_eq!(stage.number(COUNT).await, 2);
    let attendees = stage.get(&format!("{path}/attendees"), Some(&host)).await;
    let roles: Vec<_> = attendees.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (id(&row["id"]), row["role"].clone()))
        .collect();
    assert_eq!(roles, [(host.id, json!("host")), (ann.id, json!("attendee")), (bob.id, json!("cohost"))]);
}

#[tokio::test]
async fn there_are_five_at_most_however_many_are_made_at_once() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({})).await;
    let mut users = Vec::new();
    for n in 0..12 {
        users.push(stage.user(&format!("user_{n}")).await);
    }
    let (stage, party, host) = (&stage, &party, &host);
    let replies = futures_util::future::join_all(users.iter().map(|user| {
        eventually(DEADLINE, "the pod has room", async || {
            let reply = cohost(stage, Method::PUT, party, host, user.id).await;
            (reply.status != 503).then_some(reply)
        })
    }))
    .await;
    let made = replies.iter().filter(|reply| reply.status == 204).count();
    let refused = replies.iter().filter(|reply| reply.code() == "QUOTA_EXCEEDED").count();
    assert_eq!((made, refused), (5, 7), "{replies:?}");
    assert_eq!(stage.number("SELECT count(*) FROM attendances WHERE role = 'cohost'").await, 5);
    assert_eq!(stage.number(COUNT).await, 5);
}

#[tokio::test]
async fn who_is_banned_is_no_cohost_and_a_party_that_is_over_takes_nobody() {
    let stage = Stage::open(&[]).await;
    let (host, ann, bob) = (stage.user("ada").await, stage.user("ann").await, stage.user("bob").await);
    let party = stage.party(&host, json!({})).await;
    let path = format!("/parties/{}", party["id"].as_str().unwrap());
    let banned = stage.post(&format!("{path}/attendees/{}/ban", ann.id), Some(&host), &json!({})).await;
    assert_eq!(banned.status, 204, "{}", banned.body);
    let refused = cohost(&stage, Method::PUT, &party, &host, ann.id).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "CONFLICT"));
    stage.post(&format!("{path}/join"), Some(&bob), &json!({})).await;
    stage.sql("UPDATE parties SET status = 'ENDED'").await;
    assert_eq!(
        cohost(&stage, Method::PUT, &party, &host, bob.id).await.status,
        204,
        "who was there may help"
    );
    let late = stage.user("cy").await;
    assert_eq!(cohost(&stage, Method::PUT, &party, &host, late.id).await.code(), "INVALID_STATUS");
}
