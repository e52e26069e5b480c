//! What looks at every answer sees what is not its caller's, and lets pass what is.

use party_gallery::realtime::Kind;
use reqwest::{Method, Request};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    scene::{Somebody, Stage},
    secrets::{Asked, leak},
};

const PASSWORD: &str = "nobody reads this password";

/// A request in somebody's name, as it would be sent.
fn asked(by: Option<&Somebody>, body: &Value) -> Asked {
    let mut request = Request::new(Method::POST, "http://127.0.0.1/api/v1/x".parse().unwrap());
    if let Some(somebody) = by {
        request.headers_mut().insert("authorization", format!("Bearer {}", somebody.token).parse().unwrap());
    }
    *request.body_mut() = Some(body.to_string().into());
    Asked::of(&request)
}

fn hears(by: Option<&Somebody>, answer: &str) -> bool {
    leak(&asked(by, &Value::Null), answer).is_none()
}

#[tokio::test]
async fn what_is_somebody_else_s_is_noticed_wherever_it_stands() {
    let stage = Stage::open(&[]).await;
    let somebody = json!({
        "email": "Leak@example.net", "password": PASSWORD, "username": "leak", "firstName": "L", "lastName": "K",
    });
    let signed_in = stage.post("/auth/register", None, &somebody).await.body["data"].clone();
    let token = signed_in["accessToken"].as_str().unwrap().to_owned();
    let own = Somebody { id: signed_in["user"]["id"].as_str().unwrap().parse().unwrap(), token };
    let other = stage.user("other").await;
    let device = json!({ "token": "the token of a device", "platform": "ios" });
    assert_eq!(stage.post("/devices", Some(&own), &device).await.status, 201);
    let party = stage.party(&own, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&party["accessCode"], "Guest").await;
    for secret in [
        "leak@example.net",
        own.token.as_str(),
        signed_in["refreshToken"].as_str().unwrap(),
        "the token of a device",
        party["accessCode"].as_str().unwrap(),
        party["joinUrl"].as_str().unwrap(),
    ] {
        for text in [json!({ "x": [secret] }).to_string(), format!("<svg>{secret}</svg>")] {
            assert!(hears(Some(&own), &text), "{secret} to oneself");
            assert!(!hears(Some(&other), &text), "{secret} to somebody else");
            assert!(!hears(Some(&guest), &text), "{secret} to a guest");
            assert!(!hears(None, &text), "{secret} to nobody");
            assert!(leak(&Asked::nothing(), &text).is_some(), "{secret} in a frame");
        }
    }
    for text in [PASSWORD, "$argon2id$v=19$m=19456"] {
        assert!(!hears(Some(&own), text), "{text} is for nobody");
    }
    let login = json!({ "email": "LEAK@example.net", "password": PASSWORD });
    assert!(
        leak(&asked(None, &login), &signed_in.to_string()).is_none(),
        "who signs in is told who they are"
    );
}

#[tokio::test]
async fn what_nobody_has_seen_yet_is_noticed_by_its_name() {
    let stage = Stage::open(&[]).await;
    let (own, other) = (stage.user("own").await, stage.user("other").await);
    let user = json!({ "id": own.id, "email": "never@seen.example" }).to_string();
    let party =
        json!({ "id": Uuid::now_v7(), "host": { "id": own.id }, "accessCode": "QWERTY23" }).to_string();
    let token = stage.token(Kind::User, own.id);
    let fresh = format!("{token}x");
    for text in [user, party, json!({ "token": fresh }).to_string()] {
        assert!(hears(Some(&own), &text), "{text} to oneself");
        assert!(!hears(Some(&other), &text), "{text} to somebody else");
    }
    let unknown = json!({ "party": { "id": Uuid::now_v7(), "accessCode": null, "email": null } }).to_string();
    assert!(hears(None, &unknown));
}
