//! Accounts from outside: who gets in, who does not, and what a lost answer or a stolen token costs.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use party_gallery::db::migrate;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client::Client,
    database::{MIGRATED, connected, fresh},
    own::{OwnPostgres, OwnRedis},
    poll::eventually,
    servers::fresh_redis,
};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(500);
const PARTY: &str = "01900000-0000-7000-8000-000000000001";
const GUEST: &str = "01900000-0000-7000-8000-000000000002";
const PASSWORD: &str = "correct horse battery";

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn token(&self, name: &str) -> String {
        self.body["data"][name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_owned()
    }
}

async fn ask(app: &TestApp, method: Method, path: &str, bearer: Option<&str>, body: Option<Value>) -> Answer {
    let mut request = Client::new().request(method, app.url(&format!("/api/v1{path}"))).timeout(DEADLINE);
    if let Some(token) = bearer {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, body: answer.json().await.unwrap_or_default() }
}

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    ask(app, Method::POST, path, None, Some(body)).await
}

async fn me(app: &TestApp, token: &str) -> Answer {
    ask(app, Method::GET, "/auth/me", Some(token), None).await
}

async fn register(app: &TestApp, name: &str) -> Answer {
    let answer = post(app, "/auth/register", registration(name)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer
}

async fn login(app: &TestApp, name: &str, password: &str) -> Answer {
    post(app, "/auth/login", json!({ "email": format!("{name}@example.org"), "password": password })).await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    post(app, "/auth/refresh", json!({ "refreshToken": token })).await
}

fn registration(name: &str) -> Value {
    json!({
        "email": format!("{name}@example.org"),
        "password": PASSWORD,
        "username": name,
        "firstName": "Ada",
        "lastName": "Lovelace",
    })
}

async fn pod(more: &[(&str, &str)]) -> (TestApp, String) {
    let database = fresh(&MIGRATED).await;
    let app = TestApp::start(&database, &fresh_redis().await, more).await;
    up(&app).await;
    (app, database)
}

/// It listens before its database answers.
async fn up(app: &TestApp) {
    eventually(DEADLINE, "ready", async || app.get("/health/ready").await.0 == 200).await;
}

#[tokio::test]
async fn who_registers_can_sign_in_and_go_on() {
    let (app, _) = pod(&[]).await;
    let mut body = registration("Ada");
    body["bio"] = json!(" I count. ");
    let registered = post(&app, "/auth/register", body).await;
    assert_eq!((registered.status, &registered.body["success"]), (201, &json!(true)), "{}", registered.body);
    let user = &registered.body["data"]["user"];
    let id = user["id"].as_str().unwrap();
    assert_eq!(registered.header("location"), format!("/api/v1/users/{id}"));
    let expected = json!({
        "id": id, "username": "Ada", "displayName": "Ada Lovelace", "firstName": "Ada", "lastName": "Lovelace",
        "avatarUrl": null, "isGuest": false, "bio": "I count.", "interests": [], "followersCount": 0,
        "followingCount": 0, "createdAt": user["createdAt"], "email": "Ada@example.org",
        "notificationsEnabled": true, "viewer": { "isFollowing": false },
    });
    assert_eq!(*user, expected);
    assert_eq!(registered.body["data"]["expiresIn"], 900);

    let signed_in =
        post(&app, "/auth/login", json!({ "email": "ADA@example.org", "password": PASSWORD })).await;
    assert_eq!((signed_in.status, &signed_in.body["data"]["user"]), (200, user));
    let renewed = refresh(&app, &signed_in.token("refreshToken")).await;
    assert_eq!((renewed.status, &renewed.body["data"]["expiresIn"]), (200, &json!(900)));
    assert_ne!(renewed.token("refreshToken"), signed_in.token("refreshToken"));
    for answer in [&registered, &signed_in, &renewed] {
        let me = me(&app, &answer.token("accessToken")).await;
        assert_eq!((me.status, &me.body["data"]), (200, &json!({ "user": expected })));
        assert_eq!(me.header("cache-control"), "private, no-cache");
    }
}

#[tokio::test]
async fn nothing_that_is_kept_is_a_password_or_a_token() {
    let (app, database) = pod(&[]).await;
    let token = register(&app, "ada").await.token("refreshToken");
    refresh(&app, &token).await;
    let kept = connected(&database, async |client| {
        let all =
            "SELECT password_hash FROM accounts UNION ALL SELECT encode(hash, 'hex') FROM refresh_tokens";
        let rows = client.query(all, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
    });
    let kept = kept.await;
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(kept[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept[0]);
    let log: String = app.logs().lines().iter().map(ToString::to_string).collect();
    assert!(log.contains("/auth/refresh"), "the log is looked at");
    assert!(!log.contains(&token) && !log.contains(PASSWORD));
}

#[tokio::test]
async fn of_twenty_who_want_one_name_one_gets_it() {
    let (app, _) = pod(&[]).await;
    let app = &app;
    let wanted = (0..20).map(|number| {
        let mut body = registration("popular");
        body["email"] = json!(format!("fan{number}@example.org"));
        // Two passwords are hashed at once: on a busy machine the last are told to come back
        async move {
            loop {
                let answer = post(app, "/auth/register", body.clone()).await;
                if answer.status != 503 {
                    return answer;
                }
            }
        }
    });
    let answers = timeout(3 * DEADLINE, join_all(wanted)).await.unwrap();
    let got = answers.iter().filter(|answer| answer.status == 201).count();
    let taken = answers.iter().filter(|answer| answer.code() == (409, "USERNAME_TAKEN")).count();
    assert_eq!((got, taken), (1, 19));

    let mut body = registration("POPULAR");
    assert_eq!(post(app, "/auth/register", body.clone()).await.code(), (409, "USERNAME_TAKEN"));
    body["username"] = json!("another");
    assert_eq!(post(app, "/auth/register", body.clone()).await.status, 201);
    body["username"] = json!("third");
    body["email"] = json!("popular@EXAMPLE.org");
    assert_eq!(post(app, "/auth/register", body).await.code(), (409, "EMAIL_TAKEN"));
}

#[tokio::test]
async fn all_that_is_wrong_with_a_registration_is_told_at_once() {
    let (app, _) = pod(&[]).await;
    let body = json!({
        "email": "nobody", "password": "short", "username": "admin", "firstName": "a\u{202E}b", "bio": 7,
    });
    let answer = post(&app, "/auth/register", body).await;
    assert_eq!(answer.code(), (400, "VALIDATION_ERROR"));
    let errors: Vec<_> = answer.body["errors"].as_array().unwrap().iter().collect();
    let told: BTreeSet<_> =
        errors.iter().map(|e| (e["path"].as_str().unwrap(), e["code"].as_str().unwrap())).collect();
    let expected = [
        ("email", "INVALID_EMAIL"),
        ("password", "TOO_SHORT"),
        ("username", "RESERVED"),
        ("firstName", "INVALID_CHARACTERS"),
        ("lastName", "REQUIRED"),
        ("bio", "INVALID_TYPE"),
    ];
    assert_eq!(told, BTreeSet::from(expected));

    let mut common = registration("ada");
    common["password"] = json!("Password123");
    let answer = post(&app, "/auth/register", common).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["code"]), (400, &json!("TOO_COMMON")));
    for path in ["/auth/register", "/auth/login"] {
        let answer = post(&app, path, json!({ "firebaseToken": "e30.e30.e30", "username": "ada" })).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["path"]), (400, &json!("firebaseToken")));
    }
    assert_eq!(post(&app, "/auth/refresh", json!({})).await.code(), (400, "VALIDATION_ERROR"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let (app, _) = pod(&[]).await;
    register(&app, "ada").await;
    let mut wrong = login(&app, "ada", "correct horse stable").await;
    let mut unknown = login(&app, "nobody", PASSWORD).await;
    for answer in [&mut wrong, &mut unknown] {
        for own in ["instance", "requestId"] {
            answer.body[own].take();
        }
    }
    assert_eq!(wrong.code(), (401, "UNAUTHENTICATED"));
    assert_eq!((wrong.status, wrong.body), (unknown.status, unknown.body));
    assert_eq!(login(&app, "ada", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_costs_nothing_and_a_stolen_token_ends_the_sign_in() {
    let (app, database) = pod(&[]).await;
    let first = register(&app, "ada").await.token("refreshToken");
    // The same successor for all who ask at once, and for who asks again
    let answers = join_all((0..4).map(|_| refresh(&app, &first))).await;
    let mut successors: BTreeSet<_> = answers.iter().map(|answer| answer.token("refreshToken")).collect();
    successors.insert(refresh(&app, &first).await.token("refreshToken"));
    assert_eq!(successors.len(), 1);
    let second = successors.pop_first().unwrap();
    let third = refresh(&app, &second).await.token("refreshToken");
    assert_eq!(refresh(&app, &first).await.token("refreshToken"), second, "a minute is a minute");

    let age =
        "UPDATE refresh_tokens SET spent_at = spent_at - interval '61 seconds' WHERE spent_at IS NOT NULL";
    connected(&database, async |client| client.batch_execute(age).await.unwrap()).await;
    let other = login(&app, "ada", PASSWORD).await.token("refreshToken");
    assert_eq!(refresh(&app, &first).await.code(), (401, "UNAUTHENTICATED"));
    for token in [&first, &second, &third] {
        assert_eq!(refresh(&app, token).await.code(), (401, "UNAUTHENTICATED"), "its whole family has ended");
    }
    assert_eq!(refresh(&app, &other).await.status, 200, "another sign-in goes on");
}

#[tokio::test]
async fn an_expired_token_and_one_that_is_none_are_worth_nothing() {
    let (app, database) = pod(&[]).await;
    let token = register(&app, "ada").await.token("refreshToken");
    for bad in ["", "x", &token[1..], &format!("{token}="), &"A".repeat(43)] {
        assert_eq!(refresh(&app, bad).await.code(), (401, "UNAUTHENTICATED"), "{bad}");
    }
    let expire = "UPDATE refresh_tokens SET expires_at = now()";
    connected(&database, async |client| client.batch_execute(expire).await.unwrap()).await;
    assert_eq!(refresh(&app, &token).await.code(), (401, "UNAUTHENTICATED"));
}

/// A party of `host` that goes on, and a guest in it, whose refresh token is 32 times seven.
fn guest_of(host: &str) -> String {
    format!(
        "INSERT INTO parties (id, host_id, title, status, starts_at, is_private)
         VALUES ('{PARTY}', '{host}', 'Party', 'LIVE', now(), true);
         INSERT INTO people (id, is_guest, display_name) VALUES ('{GUEST}', true, 'Bob');
         INSERT INTO guests VALUES ('{GUEST}', '{PARTY}');
         INSERT INTO token_families (id, person_id) VALUES ('{GUEST}', '{GUEST}');
         INSERT INTO refresh_tokens (hash, family_id) SELECT sha256(decode(repeat('07', 32), 'hex')), '{GUEST}'"
    )
}

#[tokio::test]
async fn a_guest_goes_on_until_a_week_after_the_party() {
    let (app, database) = pod(&[]).await;
    let host = register(&app, "ada").await.body["data"]["user"]["id"].as_str().unwrap().to_owned();
    let token = URL_SAFE_NO_PAD.encode([7; 32]);
    connected(&database, async |client| client.batch_execute(&guest_of(&host)).await.unwrap()).await;
    let renewed = refresh(&app, &token).await;
    let guest = me(&app, &renewed.token("accessToken")).await;
    let expected = json!({
        "id": GUEST, "displayName": "Bob", "partyId": PARTY,
        "createdAt": guest.body["data"]["guest"]["createdAt"],
    });
    assert_eq!((guest.status, &guest.body["data"]), (200, &json!({ "guest": expected })));

    let ended = async |days: u32| {
        let end = format!("UPDATE parties SET status = 'ENDED', ended_at = now() - interval '{days} days'");
        connected(&database, async |client| client.batch_execute(&end).await.unwrap()).await;
    };
    ended(6).await;
    let renewed = refresh(&app, &renewed.token("refreshToken")).await;
    assert_eq!(renewed.status, 200);
    ended(8).await;
    assert_eq!(refresh(&app, &renewed.token("refreshToken")).await.code(), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn of_a_guests_tokens_those_that_were_spent_are_forgotten_after_a_month() {
    let (app, database) = pod(&[]).await;
    let host = register(&app, "ada").await.body["data"]["user"]["id"].as_str().unwrap().to_owned();
    let first = URL_SAFE_NO_PAD.encode([7; 32]);
    let sql = async |sql: &str| {
        connected(&database, async |client| client.batch_execute(sql).await.unwrap()).await;
    };
    sql(&guest_of(&host)).await;
    let second = refresh(&app, &first).await.token("refreshToken");
    let third = refresh(&app, &second).await.token("refreshToken");
    let kept = async || {
        let count = "SELECT count(*) FROM refresh_tokens JOIN token_families f ON f.id = family_id
             WHERE f.person_id::text = $1";
        connected(&database, async |client| {
            client.query_one(count, &[&GUEST]).await.unwrap().get::<_, i64>(0)
        })
        .await
    };
    assert_eq!(kept().await, 3, "so that a theft is noticed");
    sql("UPDATE refresh_tokens SET expires_at = expires_at - interval '31 days' WHERE spent_at IS NOT NULL")
        .await;
    eventually(DEADLINE, "they are forgotten", async || kept().await == 1).await;
    assert_eq!(refresh(&app, &third).await.status, 200, "the one that is not spent goes on");
}

#[tokio::test]
async fn a_bad_token_is_refused_everywhere_and_none_only_where_one_is_needed() {
    let (app, _) = pod(&[]).await;
    for (method, path) in [
        (Method::GET, "/auth/me"),
        (Method::GET, "/config"),
        (Method::POST, "/auth/login"),
        (Method::GET, "/nowhere"),
    ] {
        let answer = ask(&app, method, path, Some("no.good.token"), None).await;
        assert_eq!(answer.code(), (401, "UNAUTHENTICATED"), "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(ask(&app, Method::GET, "/auth/me", None, None).await.code(), (401, "UNAUTHENTICATED"));
    assert_eq!(ask(&app, Method::GET, "/config", None, None).await.status, 200);
}

#[tokio::test]
async fn an_account_that_is_gone_is_nobody_s() {
    let (app, database) = pod(&[]).await;
    let token = register(&app, "ada").await.token("accessToken");
    connected(&database, async |client| client.batch_execute("DELETE FROM people").await.unwrap()).await;
    assert_eq!(me(&app, &token).await.code(), (401, "UNAUTHENTICATED"));
    assert_eq!(login(&app, "ada", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_login_is_503_while_the_database_is_away_and_well_when_it_is_back() {
    let (mut postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let log = slog::Logger::root(slog::Discard, slog::o!());
    migrate::bring_up(&postgres.url().parse().unwrap(), DEADLINE, &log).await.unwrap();
    let app = TestApp::start(postgres.url(), redis.url(), &[]).await;
    up(&app).await;
    register(&app, "ada").await;
    let unavailable = async |within: Duration| {
        let began = Instant::now();
        let answer = login(&app, "ada", PASSWORD).await;
        assert_eq!(answer.code(), (503, "UNAVAILABLE"), "{}", answer.body);
        assert!(!answer.header("retry-after").is_empty());
        assert!(began.elapsed() < within + NOISE, "after {:?}", began.elapsed());
    };
    let well = async || {
        let began = Instant::now();
        eventually(DEADLINE, "signed in", async || login(&app, "ada", PASSWORD).await.status == 200).await;
        assert!(began.elapsed() < Duration::from_millis(600) + 2 * NOISE, "after {:?}", began.elapsed());
    };

    postgres.kill9();
    unavailable(Duration::from_millis(100)).await;
    assert_eq!(post(&app, "/auth/register", registration("bob")).await.code(), (503, "UNAVAILABLE"));
    postgres.start_again().await;
    well().await;

    postgres.freeze();
    unavailable(Duration::from_millis(1_100)).await;
    unavailable(Duration::from_millis(100)).await;
    postgres.thaw();
    well().await;
}
