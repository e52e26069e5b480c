//! How others are asked to a party: codes that can be changed, and pictures of the link.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    client::{Client, Response},
    poll::eventually,
    scene::{Reply, Somebody, Stage, sent},
    secrets,
};

fn code(reply: &Reply) -> &Value {
    assert_eq!(reply.status, 200, "{}", reply.body);
    &reply.body["data"]["party"]["accessCode"]
}

async fn opens(stage: &Stage, code: &Value) -> bool {
    let reply = stage.post("/parties/by-code", None, &json!({ "accessCode": code })).await;
    assert!([200, 404].contains(&reply.status.as_u16()), "{}", reply.body);
    reply.status == 200
}

#[tokio::test]
async fn a_new_code_kills_the_old_one_at_once() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let path = format!("/parties/{}/access-code", party["id"].as_str().unwrap());
    let first = &party["accessCode"];
    let rotated = stage.post(&path, Some(&host), &json!({})).await;
    let second = code(&rotated);
    assert_ne!(first, second);
    assert_eq!((opens(&stage, first).await, opens(&stage, second).await), (false, true));
    assert!(rotated.body["data"]["party"]["joinUrl"].as_str().unwrap().ends_with(second.as_str().unwrap()));
    assert_eq!(rotated.body["data"]["party"]["seq"], 1, "other hosts hear that there is something to read");

    let keyed = || stage.request(Method::POST, &path, Some(&host)).header("Idempotency-Key", "one");
    let once = sent(keyed().json(&json!({}))).await;
    let again = sent(keyed().json(&json!({}))).await;
    assert_eq!(code(&once), code(&again));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert!(opens(&stage, code(&once)).await);

    let public = stage.party(&host, json!({})).await;
    assert_eq!(public["accessCode"], json!(null));
    let path = format!("/parties/{}/access-code", public["id"].as_str().unwrap());
    assert!(opens(&stage, code(&stage.post(&path, Some(&host), &json!({})).await)).await, "it has asked");
}

#[tokio::test]
async fn an_answer_with_a_code_comes_again_to_hosts_only() {
    let stage = Stage::open(&[]).await;
    let (host, helper) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let party = party["id"].as_str().unwrap();
    let place = format!(
        "INSERT INTO attendances (party_id, person_id, role) VALUES ('{party}', '{}', 'cohost')",
        helper.id
    );
    stage.sql(&place).await;
    secrets::runs(party.parse().unwrap(), helper.id);
    let path = format!("/parties/{party}/access-code");
    let rotate = || {
        let request = stage.request(Method::POST, &path, Some(&helper)).header("Idempotency-Key", "one");
        sent(request.json(&json!({})))
    };
    assert_eq!(rotate().await.status, 200);
    stage.sql("UPDATE attendances SET role = 'attendee' WHERE role = 'cohost'").await;
    assert_eq!(rotate().await.status, 403);
}

#[tokio::test]
async fn of_codes_that_are_changed_at_once_one_is_left() {
    let stage = Stage::open(&[]).await;
    let second = stage.another_pod().await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let path = format!("/api/v1/parties/{}/access-code", party["id"].as_str().unwrap());
    let client = Client::new();
    let codes = join_all((0..12).map(async |n| {
        let pod = if n % 2 == 0 { &stage.app } else { &second };
        // Who is told to come again does
        eventually(DEADLINE, "the code is another", async || {
            let reply = sent(client.post(pod.url(&path)).bearer_auth(&host.token).json(&json!({}))).await;
            (reply.status != 503).then(|| code(&reply).clone())
        })
        .await
    }));
    let codes = codes.await;
    let path = format!("/parties/{}", party["id"].as_str().unwrap());
    let last = stage.get(&path, Some(&host)).await;
    assert!(opens(&stage, code(&last)).await);
    let mut dead: Vec<_> = codes.iter().filter(|other| *other != code(&last)).collect();
    assert_eq!(dead.len(), 11);
    // More of them would look like a guest who guesses
    dead.truncate(5);
    for other in dead {
        assert!(!opens(&stage, other).await);
    }
}

async fn picture(stage: &Stage, method: Method, path: &str, by: &Somebody) -> Response {
    stage.request(method, path, Some(by)).send().await.unwrap()
}

#[tokio::test]
async fn the_link_is_drawn_for_hosts_and_kept_by_nobody() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let below = format!("/parties/{}", party["id"].as_str().unwrap());
    let mut pictures = Vec::new();
    for (name, content_type) in [("invite.svg", "image/svg+xml"), ("invite.png", "image/png")] {
        let path = format!("{below}/{name}");
        let got = picture(&stage, Method::GET, &path, &host).await;
        let header = |name: &str| got.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(got.status(), 200);
        assert_eq!(
            (header("content-type").as_str(), header("cache-control").as_str()),
            (content_type, "no-store")
        );
        let length = header("content-length");
        let bytes = got.bytes().await.unwrap();
        assert_eq!(bytes.len().to_string(), length);
        let head = picture(&stage, Method::HEAD, &path, &host).await;
        assert_eq!(
            (head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()),
            (200, content_type)
        );
        assert_eq!(head.headers()["content-length"].to_str().unwrap(), length);
        assert!(head.bytes().await.unwrap().is_empty());
        pictures.push(bytes);
    }
    let svg = String::from_utf8(pictures[0].to_vec()).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
    assert!(!svg.contains(party["accessCode"].as_str().unwrap()), "drawn, not written");
    let png = image::load_from_memory(&pictures[1]).unwrap();
    assert_eq!(png.width(), png.height());

    stage.post(&format!("{below}/access-code"), Some(&host), &json!({})).await;
    let other = picture(&stage, Method::GET, &format!("{below}/invite.svg"), &host).await;
    assert_ne!(other.bytes().await.unwrap(), pictures[0], "it is of the code that is good now");

    let public = stage.party(&host, json!({})).await;
    for name in ["invite.svg", "invite.png"] {
        let reply =
            stage.get(&format!("/parties/{}/{name}", public["id"].as_str().unwrap()), Some(&host)).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (409, "CONFLICT"));
    }
}
