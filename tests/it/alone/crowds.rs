//! Many at once, over two pods: seats and first answers are counted by one at a time.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use party_gallery::realtime::Kind;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client::Client,
    poll::eventually,
    scene::{Reply, Somebody, Stage, sent},
};

/// What the counter says more or less than the places do.
const MISCOUNTED: &str = "SELECT sum(attendees_count) - (SELECT count(*) FROM attendances
    WHERE state = 'in' AND rsvp = 'GOING' AND role <> 'host') FROM parties";
const COUNT: &str = "SELECT attendees_count::bigint FROM parties";

async fn users(stage: &Stage, count: usize) -> Vec<Somebody> {
    let ids: Vec<_> = (0..count).map(|_| Uuid::now_v7()).collect();
    let rows = ids.iter().enumerate().map(|(n, id)| format!("('{id}', false, 'user_{n}', 'User {n}')"));
    let rows = rows.collect::<Vec<_>>().join(", ");
    stage.sql(&format!("INSERT INTO people (id, is_guest, username, display_name) VALUES {rows}")).await;
    ids.into_iter().map(|id| Somebody { id, token: stage.token(Kind::User, id) }).collect()
}

/// Asks a pod until it does not say that it has no room: what it refuses then is not done.
async fn insist(pod: &TestApp, method: &Method, path: &str, by: &Somebody, key: &str, body: &Value) -> Reply {
    let client = Client::new();
    eventually(DEADLINE * 3, "the pod has room", async || {
        let request = client.request(method.clone(), pod.url(&format!("/api/v1{path}")));
        let request = request.bearer_auth(&by.token).header("Idempotency-Key", key);
        let reply = sent(request.json(body)).await;
        if reply.status == 503 {
            assert!(!reply.header("retry-after").is_empty());
            return None;
        }
        Some(reply)
    })
    .await
}

#[tokio::test]
async fn of_three_hundred_who_join_at_once_a_hundred_find_a_seat() {
    let stage = Stage::open(&[]).await;
    let pods = [&stage.app, &stage.another_pod().await];
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true, "maxAttendees": 100 })).await;
    let path = format!("/parties/{}/join", party["id"].as_str().unwrap());
    let body = json!({ "accessCode": party["accessCode"] });
    let users = users(&stage, 300).await;
    let replies = join_all(
        users
            .iter()
            .zip(pods.iter().cycle())
            .map(|(user, pod)| insist(pod, &Method::POST, &path, user, "k", &body)),
    )
    .await;
    let seats = replies.iter().filter(|reply| reply.status == 201).count();
    let full = replies.iter().filter(|reply| reply.code() == "PARTY_FULL").count();
    assert_eq!((seats, full), (100, 200));
    assert_eq!(stage.number(COUNT).await, 100);
    assert_eq!(
        stage.number("SELECT count(*) FROM attendances WHERE state = 'in' AND role = 'attendee'").await,
        100
    );
    assert_eq!(stage.number("SELECT count(*) FROM attendances").await, 101, "who found none left no trace");
    assert_eq!(stage.number("SELECT count(*) FROM events").await, 100);
    assert_eq!(stage.number("SELECT max(seq) FROM events").await, 100);
}

#[tokio::test]
async fn places_that_change_all_at_once_are_counted_right_at_any_time() {
    let stage = Stage::open(&[]).await;
    let pods = [&stage.app, &stage.another_pod().await];
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "maxAttendees": 4 })).await;
    let path = |below: &str| format!("/parties/{}{below}", party["id"].as_str().unwrap());
    let users = users(&stage, 9).await;
    let is_over = AtomicBool::new(false);
    let watching = async {
        let mut looks = 0;
        while !is_over.load(Ordering::Relaxed) {
            assert_eq!(stage.number(MISCOUNTED).await, 0);
            assert!(stage.number(COUNT).await <= 4);
            looks += 1;
        }
        looks
    };
    let rsvp = |status: &str| (Method::PUT, path("/rsvp"), json!({ "status": status }));
    let post = |below: &str| (Method::POST, path(below), json!({}));
    let steps = [
        post("/join"),
        rsvp("MAYBE"),
        rsvp("GOING"),
        post("/leave"),
        rsvp("GOING"),
        rsvp("NOT_GOING"),
        post("/join"),
        post("/leave"),
        rsvp("MAYBE"),
        post("/leave"),
        post("/join"),
    ];
    let changing = async {
        // Each user twice, on either pod: the same place is fought for too
        join_all((0..18).map(|n| {
            let (user, pod, steps) = (&users[n / 2], pods[n % 2], &steps);
            async move {
                for (at, (method, path, body)) in steps.iter().cycle().skip(n).take(steps.len()).enumerate() {
                    let reply = insist(pod, method, path, user, &format!("{n} {at}"), body).await;
                    let known = [200, 201, 204, 403, 409].contains(&reply.status.as_u16());
                    assert!(known, "{method} {path}: {} {}", reply.status, reply.body);
                }
            }
        }))
        .await;
        is_over.store(true, Ordering::Relaxed);
    };
    let host_acts = async {
        for user in users.iter().take(3) {
            for (method, below) in
                [(Method::PUT, "cohosts"), (Method::DELETE, "cohosts"), (Method::DELETE, "attendees")]
            {
                let path = path(&format!("/{below}/{}", user.id));
                let reply = insist(pods[1], &method, &path, &host, "k", &json!({})).await;
                assert!([204, 404, 409].contains(&reply.status.as_u16()), "{method} {path}: {}", reply.body);
            }
        }
    };
    let (looks, (), ()) = tokio::join!(watching, changing, host_acts);
    assert!(looks > 1, "it was looked at meanwhile");
    assert_eq!(stage.number(MISCOUNTED).await, 0);
    assert_eq!(stage.number("SELECT (SELECT seq FROM parties) - (SELECT count(*) FROM events)").await, 0);
}

#[tokio::test]
async fn fifty_creates_with_one_key_over_two_pods_make_one_party() {
    let stage = Stage::open(&[]).await;
    let pods = [&stage.app, &stage.another_pod().await];
    let host = stage.user("ada").await;
    let body = json!({ "title": "Party", "startsAt": "2126-05-01T20:00:00Z", "isPrivate": true });
    let replies =
        join_all((0..50).map(|n| insist(pods[n % 2], &Method::POST, "/parties", &host, "one", &body))).await;
    assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
    assert!(replies.iter().all(|reply| reply.body == replies[0].body));
    let replayed = replies.iter().filter(|reply| reply.header("idempotency-replayed") == "true").count();
    assert_eq!(replayed, 49);
    assert!(replies.iter().all(|reply| reply.header("location") == replies[0].header("location")));
    assert_eq!(stage.number("SELECT count(*) FROM parties").await, 1);
}
