//! Limits from outside: what is too often, who is told, and what holds without Redis.

use std::{
    cell::{Cell, RefCell},
    num::NonZeroU32,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use party_gallery::domain::rate::{Limit, Verb, apply};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    app::TestApp,
    client::{Client, Response},
    database::{MIGRATED, fresh},
    own::OwnRedis,
    poll::eventually,
    servers::fresh_redis,
};

async fn pod(redis: &str, more: &[(&str, &str)]) -> TestApp {
    let app = TestApp::start(&fresh(&MIGRATED).await, redis, more).await;
    eventually(DEADLINE, "ready", async || app.get("/health/ready").await.0 == 200).await;
    app
}

async fn get(app: &TestApp, path: &str, token: Option<&str>) -> Response {
    let request = Client::new().get(app.url(path)).timeout(DEADLINE);
    token.into_iter().fold(request, |request, token| request.bearer_auth(token)).send().await.unwrap()
}

async fn post(app: &TestApp, path: &str, body: Value) -> Response {
    Client::new().post(app.url(path)).timeout(DEADLINE).json(&body).send().await.unwrap()
}

async fn register(app: &TestApp, name: &str) -> Response {
    let body = json!({
        "email": format!("{name}@example.org"), "password": "correct horse", "username": name,
        "firstName": "Ada", "lastName": "Lovelace",
    });
    post(app, "/api/v1/auth/register", body).await
}

async fn login(app: &TestApp, name: &str, password: &str) -> u16 {
    let body = json!({ "email": format!("{name}@example.org"), "password": password });
    post(app, "/api/v1/auth/login", body).await.status().as_u16()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again_and_others_are_not_hindered() {
    let app = pod(&fresh_redis().await, &[("RATE_REQUESTS", "3/h")]).await;
    let mut tokens = Vec::new();
    for name in ["ada", "bob"] {
        let body: Value = register(&app, name).await.json().await.unwrap();
        tokens.push(body["data"]["accessToken"].as_str().unwrap().to_owned());
    }
    for left in [2, 1, 0] {
        let answer = get(&app, "/api/v1/auth/me", Some(&tokens[0])).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "ratelimit-policy"), r#""requests";q=3;w=3600, "address";q=1000;w=1"#);
        let standing = header(&answer, "ratelimit");
        assert!(standing.starts_with(&format!("\"requests\";r={left};t=")), "{standing}");
    }
    let refused = get(&app, "/api/v1/auth/me", Some(&tokens[0])).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((1_100..=1_200).contains(&wait), "{wait}");
    assert!(header(&refused, "ratelimit").starts_with("\"requests\";r=0;t="));
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "RATE_LIMITED");

    assert_eq!(get(&app, "/api/v1/auth/me", Some(&tokens[1])).await.status(), 200);
    assert_eq!(get(&app, "/api/v1/config", None).await.status(), 200);
    for _ in 0..10 {
        assert_eq!(get(&app, "/health", Some(&tokens[0])).await.status(), 200);
    }
}

#[tokio::test]
async fn limits_hold_over_all_pods_and_are_told_with_refusals_too() {
    let redis = fresh_redis().await;
    let more = [("RATE_REQUESTS_BY_ADDRESS", "4/h")];
    let (one, two) = (pod(&redis, &more).await, pod(&redis, &more).await);
    for app in [&one, &two, &one, &two] {
        let answer = get(app, "/api/v1/nowhere", None).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "ratelimit-policy")),
            (404, r#""address";q=4;w=3600"#)
        );
    }
    assert_eq!(get(&one, "/api/v1/config", None).await.status(), 429);
    assert_eq!(get(&two, "/api/v1/config", None).await.status(), 429);
}

#[tokio::test]
async fn only_logins_that_fail_count_and_then_no_password_helps() {
    let app = pod(&fresh_redis().await, &[("RATE_FAILED_LOGINS", "3/h")]).await;
    assert_eq!(register(&app, "ada").await.status(), 201);
    for _ in 0..5 {
        assert_eq!(login(&app, "ada", "correct horse").await, 200);
    }
    for name in ["ada", "ADA", "ada"] {
        assert_eq!(login(&app, name, "wrong").await, 401);
    }
    assert_eq!(login(&app, "ada", "correct horse").await, 429);
    assert_eq!(login(&app, "bob", "wrong").await, 401);
}

#[tokio::test]
async fn any_number_of_guesses_at_once_is_no_more_than_the_limit() {
    let more = [
        ("RATE_FAILED_LOGINS", "3/h"),
        ("RATE_FAILED_LOGINS_BY_ADDRESS", "5/h"),
        ("READY_REQUIRES", "database"),
    ];
    // Where nobody listens: this pod's own buckets, which are never too slow to be asked
    let app = pod("redis://127.0.0.1:1", &more).await;
    assert_eq!(register(&app, "ada").await.status(), 201);
    let guesses = async |name: &'static str| {
        let mut answers = join_all((0..20).map(|_| login(&app, name, "wrong"))).await;
        answers.retain(|status| *status != 429);
        answers
    };
    assert_eq!(guesses("ada").await, [401; 3]);
    // Of another account the address has two left
    assert_eq!(guesses("bob").await, [401; 2]);
}

#[tokio::test]
async fn registrations_failures_and_refreshes_have_limits_of_their_own() {
    let more =
        [("RATE_REGISTRATIONS", "2/h"), ("RATE_FAILED_LOGINS_BY_ADDRESS", "2/h"), ("RATE_REFRESHES", "2/h")];
    let app = pod(&fresh_redis().await, &more).await;
    let body: Value = register(&app, "ada").await.json().await.unwrap();
    let token = &body["data"]["refreshToken"];
    assert_eq!(register(&app, "ada").await.status(), 409);
    let refused = register(&app, "bob").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(header(&refused, "ratelimit-policy"), r#""registrations";q=2;w=3600"#);

    assert_eq!([login(&app, "x", "wrong").await, login(&app, "y", "wrong").await], [401, 401]);
    assert_eq!(login(&app, "z", "wrong").await, 429);

    for expected in [200, 200, 429] {
        let answer = post(&app, "/api/v1/auth/refresh", json!({ "refreshToken": token })).await;
        assert_eq!(answer.status(), expected);
    }
}

#[tokio::test]
async fn who_guesses_many_codes_at_once_gains_little() {
    // Without Redis: one that answers late on a busy machine lends the pod's own buckets to the same guesses
    let more = [("RATE_UNKNOWN_CODES", "3/h"), ("READY_REQUIRES", "database")];
    for path in ["/api/v1/parties/by-code", "/api/v1/parties/join-by-code"] {
        let app = pod("redis://127.0.0.1:1", &more).await;
        let guess = json!({ "accessCode": "ABCD2345", "displayName": "Bo" });
        let guesses = join_all((0..60).map(|_| post(&app, path, guess.clone()))).await;
        let statuses: Vec<_> = guesses.iter().map(|answer| answer.status().as_u16()).collect();
        assert!(statuses.iter().all(|status| [404, 429].contains(status)), "{path}: {statuses:?}");
        let answered = statuses.iter().filter(|status| **status == 404).count();
        // Four look at once: three of them may not have seen that the fourth used the last one up
        assert!((3..=6).contains(&answered), "{path}: {answered}");
    }
}

#[tokio::test]
async fn without_redis_each_pod_limits_by_itself_and_nobody_waits() {
    let mut redis = OwnRedis::start().await;
    let more = [("RATE_REQUESTS_BY_ADDRESS", "5/h"), ("READY_REQUIRES", "database")];
    let app = pod(redis.url(), &more).await;
    let spent = async || {
        let mut admitted = 0;
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let began = Instant::now();
            admitted += u32::from(get(&app, "/api/v1/config", None).await.status() == 200);
            slowest = slowest.max(began.elapsed());
        }
        assert!(slowest < Duration::from_millis(600), "{slowest:?}");
        admitted
    };
    let told = |message: &str| app.logs().lines().iter().filter(|line| line.message == message).count();
    let (own, shared) = ("Rates are kept by this pod", "Rates are kept in Redis again");
    assert_eq!(spent().await, 5);
    let before = told(own);
    redis.freeze();
    assert_eq!(spent().await, 5, "this pod's own buckets are full");
    redis.kill9();
    assert_eq!(spent().await, 0, "and are the same whatever is the matter with Redis");
    assert_eq!(told(own), told(shared) + 1);
    assert!(told(own) <= before + 1, "told once, not by each request");
    // It comes back empty
    redis.start_again().await;
    eventually(DEADLINE, "Redis is asked again", async || {
        get(&app, "/api/v1/config", None).await.status() == 200
    })
    .await;
    assert_eq!(told(own), told(shared));
}

/// The script and the rule in `domain` are two tellings of one thing.
#[tokio::test]
async fn redis_keeps_buckets_as_this_pod_does() {
    let client = redis::Client::open(fresh_redis().await).unwrap();
    let script = redis::Script::new(include_str!("../../../src/cache/buckets.lua"));
    let limit = (1u32..3_000, 1u32..6).prop_map(|(count, burst)| {
        let some = |number| NonZeroU32::new(number).unwrap();
        Limit::new(some(count), Duration::from_secs(1), some(burst))
    });
    let verb = prop_oneof![
        Just(Verb::Look),
        Just(Verb::Take),
        Just(Verb::Take),
        Just(Verb::Take),
        Just(Verb::Count),
        Just(Verb::Refund),
    ];
    let owed = prop_oneof![Just(0), Just(0), 0u32..8];
    let steps = (prop::collection::vec(limit, 1..4), prop::collection::vec((verb, owed), 1..60));
    let connection = RefCell::new(client.get_connection().unwrap());
    let (number, refused) = (Cell::new(0), Cell::new(0));
    let compared = TestRunner::default().run(&steps, |(limits, verbs)| {
        number.set(number.get() + 1);
        let number = number.get();
        let mut ours: Vec<_> = limits.iter().map(|limit| (*limit, 0)).collect();
        for (verb, owed) in verbs {
            let mut call = script.prepare_invoke();
            call.arg(format!("{verb:?}").to_lowercase());
            for (index, limit) in limits.iter().enumerate() {
                call.key(format!("{{t}}:{number}:{index}"))
                    .arg(limit.interval())
                    .arg(limit.burst())
                    .arg(owed);
            }
            let answer: Vec<u64> = call.invoke(&mut *connection.borrow_mut()).unwrap();
            let (now, theirs) = (answer[0], &answer[1..]);
            for (limit, full_at) in &mut ours {
                *full_at = limit.charged(*full_at, now, owed);
            }
            for ((_, ours), theirs) in ours.iter().zip(theirs) {
                prop_assert_eq!((*ours).max(now), (*theirs).max(now));
            }
            let levels = apply(verb, now, &mut ours);
            let is_refused = levels.iter().any(|level| level.left == 0);
            refused.set(refused.get() + u32::from(is_refused));
        }
        Ok(())
    });
    compared.unwrap();
    assert!(refused.get() > 100, "only {} times was a bucket empty", refused.get());
}
