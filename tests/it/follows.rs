//! Following: who may, what it counts, and that it counts right however many do it at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use party_gallery::realtime::Kind;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client::Client,
    house::UNHURRIED,
    poll::eventually,
    scene::{Reply, Somebody, Stage, sent},
};

fn path(of: Uuid) -> String {
    format!("/users/{of}/follow")
}

async fn follow(stage: &Stage, of: Uuid, by: Option<&Somebody>) -> Reply {
    sent(stage.request(Method::PUT, &path(of), by)).await
}

async fn unfollow(stage: &Stage, of: Uuid, by: Option<&Somebody>) -> Reply {
    sent(stage.request(Method::DELETE, &path(of), by)).await
}

/// Followers, following, and whether `by` follows them.
async fn seen(stage: &Stage, of: Uuid, by: Option<&Somebody>) -> (i64, i64, Value) {
    let user = stage.get(&format!("/users/{of}"), by).await.body["data"]["user"].clone();
    let count = |name: &str| user[name].as_i64().unwrap();
    (count("followersCount"), count("followingCount"), user["viewer"]["isFollowing"].clone())
}

/// The jobs that tell somebody of a follower.
const TOLD: &str =
    "SELECT count(*) FROM jobs WHERE kind = 'notify' AND payload -> 'cause' ->> 'type' = 'FOLLOW'";

#[tokio::test]
async fn following_counts_once_and_is_undone() {
    let stage = Stage::open(&[]).await;
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    // Nothing takes the jobs away while they are counted
    stage.sql("ALTER TABLE jobs ALTER COLUMN run_at SET DEFAULT now() + interval '1 hour'").await;
    for _ in 0..2 {
        let reply = follow(&stage, ada.id, Some(&bob)).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (204, &Value::Null));
        assert_eq!(seen(&stage, ada.id, Some(&bob)).await, (1, 0, json!(true)));
        assert_eq!(stage.number(TOLD).await, 1, "she is told once");
    }
    assert_eq!(seen(&stage, bob.id, Some(&bob)).await, (0, 1, json!(false)));
    assert_eq!(seen(&stage, bob.id, Some(&ada)).await, (0, 1, json!(false)), "it goes one way");
    assert_eq!(seen(&stage, ada.id, None).await, (1, 0, json!(null)));
    let me = stage.get("/auth/me", Some(&bob)).await;
    assert_eq!(me.body["data"]["user"]["followingCount"], 1);
    for _ in 0..2 {
        assert_eq!(unfollow(&stage, ada.id, Some(&bob)).await.status, 204);
        assert_eq!(seen(&stage, ada.id, Some(&bob)).await, (0, 0, json!(false)));
    }
    assert_eq!(seen(&stage, bob.id, None).await, (0, 0, json!(null)));
}

#[tokio::test]
async fn who_may_follow_whom() {
    let stage = Stage::open(&[]).await;
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&bob, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&party["accessCode"], "Guest").await;
    let screen = Somebody { id: Uuid::nil(), token: stage.token(Kind::Display, Uuid::now_v7()) };
    let gone = Somebody { id: Uuid::nil(), token: stage.token(Kind::User, Uuid::now_v7()) };
    let bad = Somebody { id: Uuid::nil(), token: "x".to_owned() };
    for (by, status) in [
        (Some(&bob), 204),
        (Some(&ada), 400),
        (Some(&guest), 403),
        (Some(&screen), 403),
        (Some(&gone), 401),
        (Some(&bad), 401),
        (None, 401),
    ] {
        assert_eq!(follow(&stage, ada.id, by).await.status, status, "{by:?}");
        let status = if by.is_some_and(|by| by.token == gone.token) { 204 } else { status };
        assert_eq!(unfollow(&stage, ada.id, by).await.status, status, "{by:?}");
        let unknown = if by.is_some_and(|by| by.token == bad.token) { 401 } else { 404 };
        for nobody in [guest.id, Uuid::now_v7()] {
            assert_eq!(follow(&stage, nobody, by).await.status, unknown, "{by:?}");
            assert_eq!(unfollow(&stage, nobody, by).await.status, unknown, "{by:?}");
            for side in ["followers", "following"] {
                let path = format!("/users/{nobody}/{side}?limit=0");
                assert_eq!(stage.get(&path, by).await.status, unknown, "{by:?} {side}");
            }
        }
        for side in ["followers", "following"] {
            let status = if by.is_some_and(|by| by.token == bad.token) { 401 } else { 200 };
            assert_eq!(stage.get(&format!("/users/{}/{side}", ada.id), by).await.status, status, "{by:?}");
        }
    }
    let own = follow(&stage, ada.id, Some(&ada)).await;
    assert_eq!((own.code(), &own.body["errors"][0]["code"]), ("VALIDATION_ERROR", &json!("SELF")));
    assert_eq!(seen(&stage, ada.id, Some(&ada)).await, (0, 0, json!(false)));
}

#[tokio::test]
async fn followers_stand_newest_first_in_pages() {
    let stage = Stage::open(&[]).await;
    let ada = stage.user("ada").await;
    let mut names = Vec::new();
    for number in 0..7 {
        let user = stage.user(&format!("user{number}")).await;
        assert_eq!(follow(&stage, ada.id, Some(&user)).await.status, 204);
        assert_eq!(follow(&stage, user.id, Some(&ada)).await.status, 204);
        names.insert(0, format!("user{number}"));
    }
    for side in ["followers", "following"] {
        let mut found = Vec::new();
        let mut query = "?limit=3".to_owned();
        let sizes = [3, 3, 1];
        for (turn, size) in sizes.into_iter().enumerate() {
            let page = stage.get(&format!("/users/{}/{side}{query}", ada.id), None).await;
            let people = page.body["data"].as_array().unwrap();
            assert_eq!(people.len(), size, "{side}");
            let name = |person: &Value| person["username"].as_str().unwrap().to_owned();
            found.extend(people.iter().map(name));
            let meta = &page.body["meta"];
            assert_eq!((&meta["limit"], &meta["hasMore"]), (&json!(3), &json!(turn < 2)), "{side}");
            query = format!("?limit=3&cursor={}", meta["nextCursor"].as_str().unwrap_or_default());
        }
        assert_eq!(found, names, "{side}");
    }
    let page = stage.get(&format!("/users/{}/followers?limit=1", ada.id), None).await;
    let person = &page.body["data"][0];
    let shown = json!({
        "id": person["id"], "username": "user6", "displayName": "user6", "firstName": null, "lastName": null,
        "avatarUrl": null, "isGuest": false,
    });
    assert_eq!(*person, shown);
    // Who comes while somebody turns pages comes before what they have seen
    let first = stage.get(&format!("/users/{}/followers?limit=3", ada.id), None).await;
    let late = stage.user("late").await;
    follow(&stage, ada.id, Some(&late)).await;
    let cursor = first.body["meta"]["nextCursor"].as_str().unwrap();
    let second = stage.get(&format!("/users/{}/followers?limit=3&cursor={cursor}", ada.id), None).await;
    assert_eq!(second.body["data"][0]["username"], "user3");
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=bnVsbA"] {
        let reply = stage.get(&format!("/users/{}/followers?{bad}", ada.id), None).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, "VALIDATION_ERROR"), "{bad}");
    }
}

/// Asks one of two pods; where many wait for each other some are told that nothing was done, and come again.
async fn toggle(pods: &[&TestApp; 2], turn: usize, method: &Method, of: Uuid, by: &Somebody) {
    let url = pods[turn % 2].url(&format!("/api/v1{}", path(of)));
    let client = Client::new();
    eventually(DEADLINE, "it is done", async || {
        let reply = sent(client.request(method.clone(), &url).bearer_auth(&by.token)).await;
        assert!([204, 503].contains(&reply.status.as_u16()), "{} {}", reply.status, reply.body);
        reply.status == 204
    })
    .await;
}

#[tokio::test]
async fn a_hundred_at_once_count_as_a_hundred() {
    let stage = Stage::open(&UNHURRIED).await;
    let other = stage.another_pod_with(&UNHURRIED).await;
    let pods = [&stage.app, &other];
    let ada = stage.user("ada").await;
    let mut fans = Vec::new();
    for number in 0..25 {
        fans.push(stage.user(&format!("fan{number}")).await);
    }
    // Each of them four times, on both pods
    let (fans_at, pods_at) = (&fans, &pods);
    let all = (0..100).map(|turn| async move {
        toggle(pods_at, turn, &Method::PUT, ada.id, &fans_at[turn % 25]).await;
    });
    join_all(all).await;
    assert_eq!(seen(&stage, ada.id, None).await, (25, 0, json!(null)));
    // Twenty leave while the others come again, and all of them follow each other around in a circle
    let all = (0..100).map(|turn| async move {
        let number = turn % 25;
        let method = if number < 20 { Method::DELETE } else { Method::PUT };
        toggle(pods_at, turn, &method, ada.id, &fans_at[number]).await;
        let (one, next) = (&fans_at[number], &fans_at[(number + 1) % 25]);
        let (one, next) = if turn % 2 == 0 { (one, next) } else { (next, one) };
        toggle(pods_at, turn, &Method::PUT, next.id, one).await;
    });
    join_all(all).await;
    assert_eq!(seen(&stage, ada.id, None).await, (5, 0, json!(null)));

    let wrong = "SELECT count(*) FROM people WHERE
         followers_count <> (SELECT count(*) FROM follows WHERE followed_id = id)
         OR following_count <> (SELECT count(*) FROM follows WHERE follower_id = id)";
    assert_eq!(stage.number(wrong).await, 0, "every counter counts its rows");
    assert_eq!(stage.number("SELECT count(*) FROM follows").await, 5 + 2 * 25);
    let page = stage.get(&format!("/users/{}/followers?limit=100", ada.id), None).await;
    let names: BTreeSet<_> =
        page.body["data"].as_array().unwrap().iter().map(|user| user["username"].to_string()).collect();
    assert_eq!(names, (20..25).map(|number| format!("\"fan{number}\"")).collect());
}

#[tokio::test]
async fn those_who_follow_each_other_at_once_do_not_wait_in_a_circle() {
    let stage = Stage::open(&UNHURRIED).await;
    let other = stage.another_pod_with(&UNHURRIED).await;
    let pods = [&stage.app, &other];
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    let (ada_at, bob_at, pods_at) = (&ada, &bob, &pods);
    for method in [Method::PUT, Method::DELETE, Method::PUT] {
        let (method_at, turns) = (&method, 0..10);
        join_all(turns.map(|turn| async move {
            let (by, of) = if turn % 2 == 0 { (ada_at, bob_at) } else { (bob_at, ada_at) };
            toggle(pods_at, turn / 2, method_at, of.id, by).await;
        }))
        .await;
        let expected = i64::from(method == Method::PUT);
        for user in [&ada, &bob] {
            let (followers, following, _) = seen(&stage, user.id, None).await;
            assert_eq!((followers, following), (expected, expected), "{method}");
        }
    }
    for app in [&stage.app, &other] {
        let circle = app.logs().lines().into_iter().find(|line| line.to_string().contains("deadlock"));
        assert!(circle.is_none(), "{circle:?}");
    }
}
