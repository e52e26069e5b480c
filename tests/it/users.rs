//! Users from outside: what others see of them, what they edit, and which names are to be had.

use party_gallery::realtime::Kind;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::scene::{Reply, Somebody, Stage, sent};

async fn edit(stage: &Stage, of: &Somebody, by: Option<&Somebody>, body: &Value) -> Reply {
    stage.patch(&format!("/users/{}", of.id), by, body).await
}

/// Somebody who is nobody's friend, of each sort.
async fn others(stage: &Stage) -> Vec<(&'static str, Option<Somebody>)> {
    let host = stage.user("host").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&party["accessCode"], "Guest").await;
    let screen = Somebody { id: Uuid::nil(), token: stage.token(Kind::Display, Uuid::now_v7()) };
    vec![("user", Some(host)), ("guest", Some(guest)), ("display", Some(screen)), ("nobody", None)]
}

#[tokio::test]
async fn what_is_seen_of_a_user() {
    let stage = Stage::open(&[]).await;
    let ada = stage.user("ada").await;
    let path = format!("/users/{}", ada.id);
    let mut expected = json!({
        "id": ada.id, "username": "ada", "displayName": "ada", "firstName": null, "lastName": null,
        "avatarUrl": null, "isGuest": false, "bio": null, "interests": [], "followersCount": 0,
        "followingCount": 0,
    });
    for (name, by) in others(&stage).await {
        let reply = stage.get(&path, by.as_ref()).await;
        let mut user = reply.body["data"]["user"].clone();
        assert_eq!(user.as_object_mut().unwrap().remove("createdAt").unwrap().as_str().unwrap().len(), 24);
        let mut expected = expected.clone();
        if by.is_some() {
            expected["viewer"] = json!({ "isFollowing": false });
        }
        assert_eq!((reply.status.as_u16(), user), (200, expected), "{name}");
        // Guests are nobody's to look at
        if name == "guest" {
            let guest = format!("/users/{}", by.as_ref().unwrap().id);
            assert_eq!(stage.get(&guest, Some(&ada)).await.status, 404);
            assert_eq!(stage.get(&guest, by.as_ref()).await.status, 404, "not even to themselves");
        }
    }
    let own = stage.get(&path, Some(&ada)).await;
    let me = stage.get("/auth/me", Some(&ada)).await;
    expected["viewer"] = json!({ "isFollowing": false });
    expected["email"] = json!("ada@example.com");
    expected["notificationsEnabled"] = json!(true);
    expected["createdAt"] = own.body["data"]["user"]["createdAt"].clone();
    assert_eq!(own.body["data"]["user"], expected);
    assert_eq!(own.body["data"], me.body["data"], "one shape, wherever it stands");

    let etag = own.header("etag").to_owned();
    let again = stage.request(Method::GET, &path, Some(&ada)).header("if-none-match", &etag);
    assert_eq!(sent(again).await.status, 304);
    for unknown in [Uuid::now_v7().to_string(), "me".to_owned(), "no-id".to_owned()] {
        for by in [None, Some(&ada)] {
            assert_eq!(stage.get(&format!("/users/{unknown}"), by).await.status, 404, "{unknown}");
        }
    }
    let bad = Somebody { id: ada.id, token: "x".to_owned() };
    assert_eq!(stage.get(&path, Some(&bad)).await.status, 401);
}

#[tokio::test]
async fn an_edit_shows_wherever_the_user_does() {
    let stage = Stage::open(&[]).await;
    let ada = stage.user("ada").await;
    let body = json!({
        "firstName": " Ada ", "lastName": "Lovelace", "bio": "I count.", "interests": ["Hip Hop", "poetry"],
        "notificationsEnabled": false, "username": "other", "email": "other@example.com", "avatarUrl": "x",
    });
    let edited = edit(&stage, &ada, Some(&ada), &body).await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    let user = &edited.body["data"]["user"];
    for (field, value) in [
        ("firstName", json!("Ada")),
        ("lastName", json!("Lovelace")),
        ("displayName", json!("Ada Lovelace")),
        ("bio", json!("I count.")),
        ("interests", json!(["hip-hop", "poetry"])),
        ("notificationsEnabled", json!(false)),
        ("username", json!("ada")),
        ("email", json!("ada@example.com")),
        ("avatarUrl", json!(null)),
    ] {
        assert_eq!(user[field], value, "{field}");
    }
    assert_eq!(stage.get(&format!("/users/{}", ada.id), Some(&ada)).await.body, edited.body);
    let party = stage.party(&ada, json!({})).await;
    assert_eq!(party["host"]["displayName"], "Ada Lovelace");

    let cleared = json!({ "firstName": null, "lastName": null, "bio": null, "interests": null });
    let replaced = sent(stage.request(Method::PUT, &format!("/users/{}", ada.id), Some(&ada)).json(&cleared));
    let user = replaced.await.body["data"]["user"].clone();
    assert_eq!(
        (&user["firstName"], &user["bio"], &user["interests"]),
        (&json!(null), &json!(null), &json!([]))
    );
    assert_eq!((&user["displayName"], &user["notificationsEnabled"]), (&json!("ada"), &json!(false)));

    let wrong = edit(&stage, &ada, Some(&ada), &json!({ "firstName": "a\u{202E}b", "bio": 7 })).await;
    let paths: Vec<_> = wrong.body["errors"].as_array().unwrap().iter().map(|e| e["path"].clone()).collect();
    assert_eq!((wrong.status.as_u16(), paths), (400, vec![json!("firstName"), json!("bio")]));
}

#[tokio::test]
async fn a_user_is_edited_by_nobody_else() {
    let stage = Stage::open(&[]).await;
    let ada = stage.user("ada").await;
    let unknown = Somebody { id: Uuid::now_v7(), ..ada.clone() };
    for (name, by) in others(&stage).await {
        let expected = if by.is_some() { 403 } else { 401 };
        // Who may not is told so, whatever they would have sent
        for body in [json!({ "bio": "hello" }), json!({ "bio": 7 })] {
            for method in [Method::PATCH, Method::PUT] {
                let request = stage.request(method, &format!("/users/{}", ada.id), by.as_ref()).json(&body);
                assert_eq!(sent(request).await.status, expected, "{name}");
            }
            assert_eq!(edit(&stage, &unknown, by.as_ref(), &body).await.status, 404, "{name}");
        }
    }
    assert_eq!(edit(&stage, &unknown, Some(&ada), &json!({})).await.status, 404);
    assert_eq!(stage.get(&format!("/users/{}", ada.id), None).await.body["data"]["user"]["bio"], json!(null));
}

#[tokio::test]
async fn an_edit_of_what_somebody_edited_meanwhile_is_refused() {
    let stage = Stage::open(&[]).await;
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    let path = format!("/users/{}", ada.id);
    let etag = async || stage.get(&path, Some(&ada)).await.header("etag").to_owned();
    let matching = async |etag: &str, body: Value| {
        let request = stage.request(Method::PATCH, &path, Some(&ada)).header("if-match", etag);
        sent(request.json(&body)).await.status.as_u16()
    };
    let first = etag().await;
    // What cannot be edited does not count
    stage.sql(&format!("UPDATE people SET followers_count = 7 WHERE id = '{}'", ada.id)).await;
    assert_ne!(etag().await, first);
    assert_eq!(matching(&first, json!({ "bio": "one" })).await, 200);
    assert_eq!(matching(&first, json!({ "bio": "two" })).await, 412);
    assert_eq!(matching("*", json!({ "notificationsEnabled": false })).await, 200);
    let second = etag().await;
    assert_eq!(matching(&format!("\"x\", W/{second}"), json!({})).await, 200);
    assert_eq!(matching("\"1-2\"", json!({})).await, 412);
    // Who may not is told so first
    let request = stage.request(Method::PATCH, &path, Some(&bob)).header("if-match", "\"1-2\"");
    assert_eq!(sent(request.json(&json!({}))).await.status, 403);
    assert_eq!(stage.get(&path, None).await.body["data"]["user"]["bio"], "one");
}

#[tokio::test]
async fn whether_a_name_is_to_be_had_is_answered_whatever_the_name() {
    let stage = Stage::open(&[]).await;
    for name in ["Ada", "Ada2", "ada3"] {
        stage.user(name).await;
    }
    let check = async |name: &str| {
        let reply = stage.get(&format!("/users/check-username/{name}"), None).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.body);
        reply.body["data"].clone()
    };
    assert_eq!(check("grace").await, json!({ "available": true, "valid": true }));
    assert_eq!(check("%67race").await, json!({ "available": true, "valid": true }), "as it is decoded");
    for taken in ["ada", "ADA"] {
        let told = check(taken).await;
        assert_eq!(
            (&told["available"], &told["valid"], told.get("error")),
            (&json!(false), &json!(true), None)
        );
        assert_eq!(told["suggestion"], format!("{taken}4"));
    }
    for (bad, suggested) in [
        ("ad", true),
        ("admin", true),
        ("ada%20lovelace", true),
        ("%C3%A4d%C3%A4", true),
        (&"a".repeat(31), true),
        (&"a".repeat(3000), true),
        ("", false),
        ("%00", false),
        ("%FF%FE", false),
        ("%2F..%2F", false),
        ("a/b/c", true),
        ("%25%32%35", true),
        ("%E2%80%AE", false),
        ("%F0%9F%8E%89", false),
        ("'%3B--", false),
    ] {
        let told = check(bad).await;
        assert_eq!((&told["available"], &told["valid"]), (&json!(false), &json!(false)), "{bad}");
        assert!(told["error"].as_str().unwrap().starts_with("A username "), "{bad}: {told}");
        let Some(suggestion) = told["suggestion"].as_str() else {
            assert!(!suggested, "{bad}");
            continue;
        };
        assert_eq!(check(suggestion).await["available"], true, "{bad}: {suggestion}");
    }
}
