//! Signing out and changing a password: what it ends, and what it does not.

use futures_util::future::{join, join_all};
use party_gallery::realtime::Kind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    poll::eventually,
    scene::{Reply, Somebody, Stage, sent},
};

const PASSWORD: &str = "correct horse battery";
const NEXT: &str = "battery horse correct";

/// A sign-in, as its client keeps it.
struct SignedIn {
    user: Somebody,
    refresh_token: Value,
}

impl SignedIn {
    fn of(reply: &Reply) -> Self {
        let data = &reply.body["data"];
        let id = data["user"]["id"].as_str().unwrap().parse().unwrap();
        let token = data["accessToken"].as_str().unwrap().to_owned();
        Self { user: Somebody { id, token }, refresh_token: data["refreshToken"].clone() }
    }
}

async fn register(stage: &Stage, name: &str) -> SignedIn {
    let body = json!({
        "email": format!("{name}@example.org"), "password": PASSWORD, "username": name,
        "firstName": "Ada", "lastName": "Lovelace",
    });
    let reply = stage.post("/auth/register", None, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    SignedIn::of(&reply)
}

async fn login(stage: &Stage, name: &str, password: &str) -> Reply {
    let body = json!({ "email": format!("{name}@example.org"), "password": password });
    stage.post("/auth/login", None, &body).await
}

async fn refresh(stage: &Stage, token: &Value) -> u16 {
    stage.post("/auth/refresh", None, &json!({ "refreshToken": token })).await.status.as_u16()
}

async fn change(stage: &Stage, by: Option<&Somebody>, body: Value) -> Reply {
    sent(stage.request(Method::PUT, "/auth/password", by).json(&body)).await
}

#[tokio::test]
async fn who_logs_out_ends_one_sign_in_and_nothing_else() {
    let stage = Stage::open(&[]).await;
    let first = register(&stage, "ada").await;
    let other = SignedIn::of(&login(&stage, "ada", PASSWORD).await);
    let renewed = stage.post("/auth/refresh", None, &json!({ "refreshToken": first.refresh_token })).await;
    let renewed = renewed.body["data"]["refreshToken"].clone();
    // Any token of the family will do, and nobody has to say who they are
    let spent = stage.post("/auth/logout", None, &json!({ "refreshToken": first.refresh_token })).await;
    assert_eq!((spent.status.as_u16(), &spent.body), (204, &Value::Null));
    assert_eq!(refresh(&stage, &renewed).await, 401);
    assert_eq!(refresh(&stage, &first.refresh_token).await, 401);
    assert_eq!(refresh(&stage, &other.refresh_token).await, 200);

    for unknown in [json!("x"), json!(""), json!("A".repeat(43)), renewed] {
        let body = json!({ "refreshToken": unknown });
        assert_eq!(stage.post("/auth/logout", Some(&other.user), &body).await.status, 204, "{body}");
    }
    for bad in [json!({}), json!({ "refreshToken": null }), json!({ "refreshToken": 7 })] {
        let reply = stage.post("/auth/logout", None, &bad).await;
        assert_eq!((reply.status.as_u16(), &reply.body["errors"][0]["path"]), (400, &json!("refreshToken")));
    }
    let nonsense = Somebody { token: "x".to_owned(), ..other.user };
    assert_eq!(
        stage.post("/auth/logout", Some(&nonsense), &json!({ "refreshToken": "x" })).await.status,
        401
    );
}

#[tokio::test]
async fn another_password_ends_every_sign_in() {
    let stage = Stage::open(&[]).await;
    let first = register(&stage, "ada").await;
    let second = SignedIn::of(&login(&stage, "ada", PASSWORD).await);
    let stranger = register(&stage, "bob").await;

    let changed = change(&stage, Some(&first.user), json!({ "current": PASSWORD, "new": NEXT })).await;
    assert_eq!((changed.status.as_u16(), &changed.body), (204, &Value::Null));
    for token in [&first.refresh_token, &second.refresh_token] {
        assert_eq!(refresh(&stage, token).await, 401);
    }
    assert_eq!(refresh(&stage, &stranger.refresh_token).await, 200, "others go on");
    assert_eq!(login(&stage, "ada", PASSWORD).await.status, 401);
    assert_eq!(login(&stage, "ada", NEXT).await.status, 200);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let stage = Stage::open(&[]).await;
    let ada = register(&stage, "ada").await;
    let party = stage.party(&ada.user, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&party["accessCode"], "Guest").await;
    let screen = Somebody { id: guest.id, token: stage.token(Kind::Display, guest.id) };
    let gone = Somebody { id: guest.id, token: stage.token(Kind::User, uuid::Uuid::now_v7()) };
    let good = json!({ "current": PASSWORD, "new": NEXT });
    for (by, status) in [(None, 401), (Some(&guest), 403), (Some(&screen), 403), (Some(&gone), 401)] {
        // Who may not is told so, whatever they would have sent
        assert_eq!(change(&stage, by, good.clone()).await.status, status, "{by:?}");
    }
    for (by, status) in [(None, 401), (Some(&guest), 403)] {
        assert_eq!(change(&stage, by, json!({})).await.status, status, "{by:?}");
    }
    for (body, path, code) in [
        (json!({ "current": "wrong horse battery", "new": NEXT }), "current", "WRONG_PASSWORD"),
        (json!({ "current": PASSWORD, "new": "short" }), "new", "TOO_SHORT"),
        (json!({ "current": PASSWORD, "new": "Password123" }), "new", "TOO_COMMON"),
        (json!({ "current": PASSWORD }), "new", "REQUIRED"),
        (json!({ "new": NEXT }), "current", "REQUIRED"),
        (json!({ "current": null, "new": NEXT }), "current", "INVALID_TYPE"),
    ] {
        let reply = change(&stage, Some(&ada.user), body.clone()).await;
        let error = &reply.body["errors"][0];
        let told = (reply.status.as_u16(), reply.code(), &error["path"], &error["code"]);
        assert_eq!(told, (400, "VALIDATION_ERROR", &json!(path), &json!(code)), "{body}");
    }
    assert_eq!(refresh(&stage, &ada.refresh_token).await, 200, "nothing was ended by what was refused");
}

#[tokio::test]
async fn guesses_at_a_password_are_failed_logins() {
    let stage = Stage::without_redis(&[("RATE_FAILED_LOGINS", "3/h")]).await;
    let ada = register(&stage, "ada").await;
    let wrong = json!({ "current": "wrong horse battery", "new": NEXT });
    // What succeeds is no guess
    for (current, new) in [(PASSWORD, NEXT), (NEXT, PASSWORD)] {
        assert_eq!(
            change(&stage, Some(&ada.user), json!({ "current": current, "new": new })).await.status,
            204
        );
    }
    assert_eq!(login(&stage, "ada", "wrong horse battery").await.status, 401);
    assert_eq!(change(&stage, Some(&ada.user), wrong.clone()).await.status, 400);
    assert_eq!(change(&stage, Some(&ada.user), wrong.clone()).await.status, 400);
    let refused = change(&stage, Some(&ada.user), wrong).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "RATE_LIMITED"));
    assert_eq!(login(&stage, "ada", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn of_two_who_change_it_at_once_one_does_and_no_sign_in_by_the_old_one_survives() {
    let stage = Stage::open(&[]).await;
    let ada = register(&stage, "ada").await;
    let (stage_at, user) = (&stage, &ada.user);
    // Few are hashed at once: some are told that nothing was done, and come again
    let changes = (0..3).map(|number| async move {
        eventually(DEADLINE, "it is answered", async || {
            let new = format!("{NEXT} {number}");
            let reply = change(stage_at, Some(user), json!({ "current": PASSWORD, "new": new })).await;
            (reply.status != 503).then_some(reply.status.as_u16())
        })
        .await
    });
    let logins = (0..6).map(|_| async move {
        eventually(DEADLINE, "it is answered", async || {
            let reply = login(stage_at, "ada", PASSWORD).await;
            (reply.status != 503).then_some(reply)
        })
        .await
    });
    let (mut changes, logins) = join(join_all(changes), join_all(logins)).await;
    changes.sort_unstable();
    assert_eq!(changes, [204, 400, 400]);
    for login in logins {
        if login.status == 200 {
            assert_eq!(refresh(&stage, &SignedIn::of(&login).refresh_token).await, 401);
        } else {
            assert_eq!(login.status, 401, "{}", login.body);
        }
    }
}
