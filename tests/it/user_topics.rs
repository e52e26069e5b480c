//! What all sockets of one person hear, whichever pod they are at, and how they end.

use std::time::{Duration, Instant};

use party_gallery_actors::redis::driver;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    own::OwnRedis,
    poll::eventually,
    screen::Screen,
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
    ws::{Received, WsClient},
};

/// The contract's 2 s, and what a busy machine takes.
const SOON: Duration = Duration::from_secs(4);
const PASSWORD: &str = "long enough to be one";
const ANOTHER: &str = "another that is long enough";

async fn post(pod: &TestApp, path: &str, by: Option<&Somebody>, body: Value) -> Reply {
    ask(pod, by, Method::POST, &format!("/api/v1{path}"), &[], Some(body)).await
}

/// Somebody with an account, so that they are told things.
async fn user(stage: &Stage) -> Somebody {
    let user = stage.user().await;
    let insert = "INSERT INTO accounts (person_id, email, password_hash) VALUES ($1, $1::uuid::text || '@example.org', '')";
    stage.execute(insert, &[&user.id]).await;
    user
}

/// Waits until that many pods listen for a user.
async fn listened_by(redis: &str, user: &Somebody, pods: u64) {
    let client = driver::Client::open(redis).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let channel = format!("subject:00:{:032x}", user.id.as_u128());
    let mut question = driver::cmd("PUBSUB");
    question.arg("NUMSUB").arg(&channel);
    eventually(DEADLINE, "the pods listen", async || {
        let (_, listeners): (String, u64) = question.query_async(&mut connection.clone()).await.unwrap();
        listeners == pods
    })
    .await;
}

async fn next(screen: &mut Screen, event: &str) -> Value {
    loop {
        let frame = screen.frame().await;
        if frame["event"] == event {
            return frame["data"].clone();
        }
    }
}

#[tokio::test]
async fn what_a_user_is_told_reaches_all_their_sockets_as_rest_lists_it() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let (ann, ben) = (user(&stage).await, user(&stage).await);
    let mut anns = [Screen::personal(&here, &ann).await, Screen::personal(&there, &ann).await];
    let mut bens = Screen::personal(&there, &ben).await;
    listened_by(&redis, &ann, 2).await;
    let path = format!("/api/v1/users/{}/follow", ann.id);
    assert_eq!(ask(&here, Some(&ben), Method::PUT, &path, &[], None).await.status, 204);
    let list = async || {
        let listed = ask(&there, Some(&ann), Method::GET, "/api/v1/notifications", &[], None).await;
        (listed.body["data"][0].clone(), listed.body["meta"]["unread"].clone())
    };
    for screen in &mut anns {
        let told = next(screen, "notification:new").await;
        assert_eq!((told["type"].clone(), told["read"].clone()), (json!("FOLLOW"), json!(false)));
        assert_eq!((told, json!(1)), list().await);
    }
    let ids = json!([list().await.0["id"], Uuid::now_v7()]);
    let [one, two] = &mut anns;
    for (screen, unread) in [(&mut bens, 1), (two, 0), (one, 0)] {
        let (events, answer) = screen.ask("notifications:mark_read", ids.clone()).await;
        assert_eq!((answer["data"].clone(), answer["error"].clone()), (json!(null), json!(null)), "{answer}");
        assert!(events.iter().all(|event| event["event"] != "notification:new"), "{events:?}");
        assert_eq!(list().await.1, unread, "of one's own alone");
    }
    let refused = bens.refused("notifications:mark_read", json!(vec![Uuid::nil(); 101])).await;
    assert_eq!(refused, "VALIDATION_ERROR");
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let mut guest = Screen::personal(&here, &stage.guest(party).await).await;
    assert_eq!(guest.refused("notifications:mark_read", ids).await, "FORBIDDEN");
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn without_redis_a_notification_is_kept_and_told_on_the_pod_that_made_it() {
    let (stage, mut redis) = (Stage::new().await, OwnRedis::start().await);
    let pod = stage.pod(redis.url()).await;
    let (ann, ben) = (user(&stage).await, user(&stage).await);
    let mut screen = Screen::personal(&pod, &ann).await;
    redis.kill9();
    let path = format!("/api/v1/users/{}/follow", ann.id);
    assert_eq!(ask(&pod, Some(&ben), Method::PUT, &path, &[], None).await.status, 204);
    let told = next(&mut screen, "notification:new").await;
    let listed = ask(&pod, Some(&ann), Method::GET, "/api/v1/notifications", &[], None).await;
    assert_eq!(told, listed.body["data"][0]);
    stop(pod).await;
}

#[tokio::test]
async fn likes_are_told_twice_a_second_at_most_and_the_last_count_always() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let pods = [stage.pod(&redis).await, stage.pod(&redis).await];
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let media = stage.shown(party, &host).await;
    let mut guests = Vec::new();
    for _ in 0..6 {
        guests.push(stage.guest(party).await);
    }
    let mut screens = Vec::new();
    for pod in &pods {
        let mut screen = Screen::personal(pod, &guests[0]).await;
        screen.join(party).await;
        screens.push(screen);
    }
    let path = format!("/api/v1/media/{media}/like");
    let start = Instant::now();
    let mut taps = 0;
    let mut tap = async |pod: usize, who: &Somebody, method: Method| {
        taps += 1;
        eventually(DEADLINE, "the tap is taken", async || {
            ask(&pods[pod % 2], Some(who), method.clone(), &path, &[], None).await.status == 204
        })
        .await;
    };
    for _ in 0..3 {
        for (n, guest) in guests[1..].iter().enumerate() {
            tap(n, guest, Method::PUT).await;
            tap(n + 1, guest, Method::DELETE).await;
        }
    }
    for (n, guest) in guests.iter().enumerate() {
        tap(n, guest, Method::PUT).await;
    }
    for screen in &mut screens {
        let mut told = 0;
        loop {
            let data = next(screen, "party:media_liked").await;
            told += 1;
            assert_eq!((&data["partyId"], &data["mediaId"]), (&json!(party), &json!(media)));
            if data["likesCount"] == 6 {
                break;
            }
        }
        let most = 2 * (start.elapsed().as_millis() / 1000 + 1) + 1;
        assert!(told <= most, "{told} in {:?}, of {taps} taps", start.elapsed());
    }
    let [here, there] = pods;
    stop(here).await;
    stop(there).await;
}

/// A socket in the name of whoever holds that token.
async fn socket(pod: &TestApp, token: &str) -> WsClient {
    let header = format!("Bearer {token}");
    WsClient::connect(pod.address(), "/ws", &[("authorization", &header)]).await.unwrap()
}

async fn opens_nothing(pod: &TestApp, token: &str) {
    let header = format!("Bearer {token}");
    let refused = WsClient::connect(pod.address(), "/ws", &[("authorization", &header)]).await.err();
    assert!(refused.expect("it is refused").to_string().contains("401"));
    let mut socket = WsClient::connect(pod.address(), "/ws", &[]).await.unwrap();
    socket.send_json(&json!({ "id": 1, "event": "auth", "data": { "token": token } })).await;
    let Received::Json(answer) = socket.next(DEADLINE).await else { panic!("an answer is expected") };
    assert_eq!(answer["error"]["code"], "UNAUTHENTICATED", "{answer}");
}

async fn is_open(socket: &mut WsClient) {
    socket.send_json(&json!({ "id": 1, "event": "ping", "data": null })).await;
    assert!(matches!(socket.next(DEADLINE).await, Received::Json(_)));
}

fn text(reply: &Reply, field: &str) -> String {
    assert!(reply.status < 300, "{reply:?}");
    reply.body["data"][field].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sign_in_that_ends_closes_its_sockets_on_every_pod_and_no_others() {
    for is_redis_there in [true, false] {
        let (stage, mut redis) = (Stage::new().await, OwnRedis::start().await);
        let (here, there) = (stage.pod(redis.url()).await, stage.pod(redis.url()).await);
        let registration = json!({
            "email": "ann@example.org", "password": PASSWORD, "username": "ann",
            "firstName": "Ann", "lastName": "A",
        });
        let first = post(&here, "/auth/register", None, registration).await;
        let login = async |password: &str| {
            let body = json!({ "email": "ann@example.org", "password": password });
            post(&here, "/auth/login", None, body).await
        };
        let (second, third) = (login(PASSWORD).await, login(PASSWORD).await);
        let (mut one, mut two, mut three) = (
            socket(&there, &text(&first, "accessToken")).await,
            socket(&there, &text(&second, "accessToken")).await,
            socket(&here, &text(&third, "accessToken")).await,
        );
        if !is_redis_there {
            redis.kill9();
        }
        let refresh = |reply: &Reply| json!({ "refreshToken": text(reply, "refreshToken") });
        assert_eq!(post(&here, "/auth/logout", None, refresh(&first)).await.status, 204);
        assert_eq!(one.expect_close(SOON).await, 4001, "signed out");
        opens_nothing(&there, &text(&first, "accessToken")).await;
        is_open(&mut two).await;

        // A token that was spent more than a minute ago comes again
        let renewed = post(&there, "/auth/refresh", None, refresh(&second)).await;
        let mut four = socket(&there, &text(&renewed, "accessToken")).await;
        stage.execute("UPDATE refresh_tokens SET spent_at = spent_at - interval '2 minutes'", &[]).await;
        assert_eq!(post(&here, "/auth/refresh", None, refresh(&second)).await.status, 401);
        assert_eq!((two.expect_close(SOON).await, four.expect_close(SOON).await), (4001, 4001), "stolen");
        is_open(&mut three).await;

        let bearer = format!("Bearer {}", text(&third, "accessToken"));
        let ann = Somebody { id: Uuid::nil(), bearer };
        let body = json!({ "current": PASSWORD, "new": ANOTHER });
        let changed = ask(&there, Some(&ann), Method::PUT, "/api/v1/auth/password", &[], Some(body)).await;
        assert_eq!(changed.status, 204, "{changed:?}");
        let mut fresh = socket(&here, &text(&login(ANOTHER).await, "accessToken")).await;
        assert_eq!(three.expect_close(SOON).await, 4001, "the password is another");
        is_open(&mut fresh).await;
        stop(here).await;
        stop(there).await;
    }
}

#[tokio::test]
async fn who_is_banned_revoked_or_erased_is_closed_on_every_pod_in_a_room_or_not() {
    for is_redis_there in [true, false] {
        let (stage, mut redis) = (Stage::new().await, OwnRedis::start().await);
        let (here, there) = (stage.pod(redis.url()).await, stage.pod(redis.url()).await);
        let (host, user) = (stage.user().await, stage.user().await);
        let party = stage.party(&host, "LIVE", true).await;
        let (guest, bystander) = (stage.guest(party).await, stage.guest(party).await);
        stage.execute("UPDATE parties SET attendees_count = 3 WHERE id = $1", &[&party]).await;
        let made = post(&here, &format!("/parties/{party}/displays"), Some(&host), json!({})).await;
        let display = text(&made, "token");
        let shown = made.body["data"]["display"]["id"].as_str().unwrap().to_owned();
        let token = |who: &Somebody| who.bearer.trim_start_matches("Bearer ").to_owned();
        let mut banned = [socket(&here, &token(&guest)).await, socket(&there, &token(&guest)).await];
        let mut revoked = [socket(&here, &display).await, socket(&there, &display).await];
        let mut erased = [socket(&here, &token(&user)).await, socket(&there, &token(&user)).await];
        let mut others = [socket(&there, &token(&bystander)).await, socket(&there, &token(&host)).await];
        if !is_redis_there {
            redis.kill9();
        }
        let me =
            async |who: &Somebody| ask(&there, Some(who), Method::GET, "/api/v1/auth/me", &[], None).await;
        assert_eq!(me(&guest).await.status, 200);
        let ban = format!("/parties/{party}/attendees/{}/ban", guest.id);
        assert_eq!(post(&here, &ban, Some(&host), json!({})).await.status, 204);
        let screen = format!("/api/v1/parties/{party}/displays/{shown}");
        assert_eq!(ask(&here, Some(&host), Method::DELETE, &screen, &[], None).await.status, 204);
        // Nobody hints at that
        stage.execute("DELETE FROM people WHERE id = $1", &[&user.id]).await;
        for ended in banned.iter_mut().chain(&mut revoked).chain(&mut erased) {
            assert_eq!(ended.expect_close(SOON).await, 4010);
        }
        for token in [token(&guest), display, token(&user)] {
            opens_nothing(&there, &token).await;
        }
        assert_eq!(me(&guest).await.status, 401);
        for other in &mut others {
            is_open(other).await;
        }
        stop(here).await;
        stop(there).await;
    }
}
