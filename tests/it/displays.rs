//! Screens of a gallery: what they see, and that they see nothing more once they are revoked.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    gathering::Party,
    pictures,
    poll::eventually,
    screen::Screen,
    stage::{Reply, Somebody, ask, stop},
    ws::WsClient,
};

/// Within what sockets are closed that are over.
const PUT_OUT: Duration = Duration::from_secs(2);

async fn make(pod: &TestApp, party: Uuid, by: &Somebody, key: Option<&str>) -> Reply {
    let path = format!("/api/v1/parties/{party}/displays");
    let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
    ask(pod, Some(by), Method::POST, &path, &headers, Some(json!({ "name": "Bar" }))).await
}

async fn revoke(pod: &TestApp, party: Uuid, by: &Somebody, display: &Somebody) -> u16 {
    let path = format!("/api/v1/parties/{party}/displays/{}", display.id);
    ask(pod, Some(by), Method::DELETE, &path, &[], None).await.status
}

fn display(reply: &Reply) -> Somebody {
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    let data = &reply.body["data"];
    Somebody {
        id: data["display"]["id"].as_str().unwrap().parse().unwrap(),
        bearer: format!("Bearer {}", data["token"].as_str().unwrap()),
    }
}

#[tokio::test]
async fn a_screen_sees_one_gallery_until_it_is_revoked() {
    let party = Party::new(true).await;
    let other_pod = party.another_pod().await;
    let elsewhere = party.stage.party(&party.host, "LIVE", true).await;
    let made = party.upload(Some(&party.guest), pictures::jpeg(64, 64), "a.jpg").await;
    let media = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    party.developed(&media).await;
    let made = make(&party.app, party.id, &party.host, None).await;
    assert_eq!(made.body["data"]["display"]["name"], "Bar");
    assert!(made.body["data"]["display"]["createdAt"].is_string());
    let screen = display(&made);
    assert_eq!(made.headers["location"], format!("/api/v1/parties/{}/displays/{}", party.id, screen.id));

    let whole = format!("/api/v1/parties/{}", party.id);
    let paths = |seen: u16| {
        [
            (Method::GET, format!("{whole}/media"), seen),
            (Method::GET, format!("/api/v1/media/{media}"), seen),
            (Method::GET, format!("/api/v1/media/{media}/thumb"), seen),
            (Method::GET, whole.clone(), 404),
            (Method::GET, format!("{whole}/attendees"), 404),
            (Method::GET, format!("{whole}/chat/messages"), 404),
            (Method::POST, format!("{whole}/chat/messages"), 404),
            (Method::POST, format!("{whole}/displays"), 404),
            (Method::PATCH, whole.clone(), 404),
            (Method::DELETE, format!("/api/v1/media/{media}"), if seen == 200 { 403 } else { 404 }),
            (Method::GET, format!("/api/v1/parties/{elsewhere}/media"), 404),
        ]
    };
    let sees = async |seen: u16| {
        for (method, path, expected) in paths(seen) {
            let body = (method != Method::GET).then(|| json!({ "content": "hi" }));
            let answer = ask(&party.app, Some(&screen), method.clone(), &path, &[], body).await;
            assert_eq!(answer.status, expected, "{method} {path}: {:?}", answer.body);
        }
    };
    sees(200).await;
    let mut here = Screen::of(&party.app, &screen).await;
    let mut there = Screen::of(&other_pod, &screen).await;
    let mut guest = Screen::of(&party.app, &party.guest).await;
    for socket in [&mut here, &mut there, &mut guest] {
        socket.join(party.id).await;
    }
    assert_eq!(here.refused("chat:join", json!({ "partyId": party.id })).await, "NOT_FOUND");
    assert_eq!(here.refused("party:join_live", json!({ "partyId": elsewhere })).await, "NOT_FOUND");

    for _ in 0..2 {
        assert_eq!(revoke(&party.app, party.id, &party.host, &screen).await, 204);
    }
    for socket in [&mut here, &mut there] {
        socket.logged_until_closed().await;
    }
    let heard = guest.logged().await;
    assert_eq!(heard["event"], "party:updated", "others hear nothing that tells of it");
    sees(404).await;
    let headers = [("authorization", screen.bearer.as_str())];
    assert!(WsClient::connect(party.app.address(), "/ws", &headers).await.is_err(), "it opens nothing");
    let stranger = Somebody { id: Uuid::now_v7(), ..screen.clone() };
    assert_eq!(revoke(&party.app, party.id, &party.host, &stranger).await, 404);
    assert_eq!(revoke(&party.app, elsewhere, &party.host, &screen).await, 404, "it is another's");
    stop(other_pod).await;
    stop(party.app).await;
}

#[tokio::test]
async fn a_screen_goes_dark_a_week_after_the_end() {
    let party = Party::new(true).await;
    let other_pod = party.another_pod().await;
    let screen = display(&make(&party.app, party.id, &party.host, None).await);
    let mut sockets = [Screen::of(&party.app, &screen).await, Screen::of(&other_pod, &screen).await];
    let mut guest = Screen::of(&party.app, &party.guest).await;
    for socket in sockets.iter_mut().chain([&mut guest]) {
        socket.join(party.id).await;
    }
    let path = format!("/api/v1/parties/{}/media", party.id);
    let end = async |ended: &str| {
        let end = format!("UPDATE parties SET status = 'ENDED', ended_at = now() - interval '{ended}'");
        party.stage.execute(&end, &[]).await;
    };
    end("6 days").await;
    assert_eq!(party.get(Some(&screen), &path).await.status, 200);
    // Long enough that they would have been put out
    let until = Instant::now() + PUT_OUT;
    while Instant::now() < until {
        for socket in &mut sockets {
            socket.ask("ping", json!("still here")).await;
        }
        sleep(Duration::from_millis(100)).await;
    }
    end("7 days 1 minute").await;
    let ended = Instant::now();
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 4010);
    }
    // The contract's 2 s, on a busy machine
    assert!(ended.elapsed() < 2 * PUT_OUT, "{:?}", ended.elapsed());
    assert_eq!(party.get(Some(&screen), &path).await.status, 404);
    let headers = [("authorization", screen.bearer.as_str())];
    assert!(WsClient::connect(other_pod.address(), "/ws", &headers).await.is_err(), "it opens nothing");
    guest.ask("ping", json!("still here")).await;
    stop(other_pod).await;
    stop(party.app).await;
}

#[tokio::test]
async fn a_repeat_makes_no_second_screen_and_no_token_is_kept() {
    let party = Party::new(true).await;
    let (first, again) = (
        make(&party.app, party.id, &party.host, Some("one")).await,
        make(&party.app, party.id, &party.host, Some("one")).await,
    );
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.body["data"]["display"], again.body["data"]["display"]);
    let path = format!("/api/v1/parties/{}/media", party.id);
    for answer in [&first, &again] {
        assert_eq!(party.get(Some(&display(answer)), &path).await.status, 200);
    }
    let body = json!({ "name": "x".repeat(51) });
    let path = format!("/api/v1/parties/{}/displays", party.id);
    let wrong = ask(&party.app, Some(&party.host), Method::POST, &path, &[], Some(body)).await;
    assert_eq!((wrong.status, &wrong.body["code"]), (400, &json!("VALIDATION_ERROR")));
    stop(party.app).await;
}

#[tokio::test]
async fn of_many_that_are_made_at_once_at_two_pods_twenty_live() {
    let party = Party::new(true).await;
    let second = party.another_pod().await;
    let tried = join_all((0..26).map(async |n| {
        let pod = if n % 2 == 0 { &party.app } else { &second };
        // Who is told to come again does
        eventually(DEADLINE, "it is made or refused", async || {
            let answer = make(pod, party.id, &party.host, None).await;
            (answer.status != 503).then_some(answer)
        })
        .await
    }));
    let tried = tried.await;
    let (made, refused): (Vec<_>, Vec<_>) = tried.iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (20, 6));
    assert!(refused.iter().all(|answer| answer.status == 409 && answer.body["code"] == "QUOTA_EXCEEDED"));
    assert_eq!(revoke(&second, party.id, &party.host, &display(made[0])).await, 204);
    let code = async || make(&party.app, party.id, &party.host, None).await.status;
    assert_eq!((code().await, code().await), (201, 409), "a revoked one makes room for one");
    let old = "UPDATE displays SET created_at = now() - interval '31 days 1 minute'";
    party.stage.execute(old, &[]).await;
    assert_eq!(code().await, 201, "one that has expired lives no more");
    stop(second).await;
    stop(party.app).await;
}

#[tokio::test]
async fn who_may_see_a_public_party_anyway_does_so_without_a_screen() {
    let party = Party::new(false).await;
    let screen = display(&make(&party.app, party.id, &party.host, None).await);
    let status = async |path: &str| {
        party.get(Some(&screen), &format!("/api/v1/parties/{}{path}", party.id)).await.status
    };
    assert_eq!((status("/media").await, status("").await), (200, 404), "a screen knows of the gallery alone");
    revoke(&party.app, party.id, &party.host, &screen).await;
    assert_eq!((status("/media").await, status("").await), (200, 200), "and is a stranger when it is none");
    let none: Value = json!(null);
    assert_eq!(party.get(Some(&screen), "/api/v1/auth/me").await.body["data"], none);
    stop(party.app).await;
}
