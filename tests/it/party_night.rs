//! A party as its guests live it: REST and `/ws` against the binary, and nothing behind its back.

use std::net::SocketAddr;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    chaos_proxy::{ChaosProxy, Upstream},
    client,
    database::{MIGRATED, fresh},
    gathering::{form, path_of, upload},
    own::OwnRedis,
    pictures::{self, CORNERS, PLACE},
    poll::eventually,
    process::Process,
    scene::id,
    screen::{Screen, brief},
    stage::{Reply, Somebody, ask},
};

/// A pod to which people come from outside only.
struct Night {
    pod: SocketAddr,
}

impl Night {
    async fn post(&self, path: &str, by: Option<&Somebody>, body: Value) -> Reply {
        ask(&self.pod, by, Method::POST, &format!("/api/v1{path}"), &[], Some(body)).await
    }

    async fn get(&self, path: &str, by: &Somebody) -> Value {
        let reply = ask(&self.pod, Some(by), Method::GET, &format!("/api/v1{path}"), &[], None).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.body
    }

    async fn register(&self, name: &str) -> Somebody {
        let reply = self
            .post(
                "/auth/register",
                None,
                json!({
                    "email": format!("{name}@example.org"), "password": "correct horse battery",
                    "username": name, "firstName": name, "lastName": "Lovelace",
                }),
            )
            .await;
        assert_eq!(reply.status, 201, "{reply:?}");
        signed_in(&reply.body["data"], "user")
    }

    async fn join(&self, code: &Value, name: &str) -> Somebody {
        let body = json!({ "accessCode": code, "displayName": name });
        let reply = self.post("/parties/join-by-code", None, body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        signed_in(&reply.body["data"], "guest")
    }

    /// The media once everybody may see it.
    async fn shown(&self, media: &str, by: &Somebody) -> Value {
        eventually(DEADLINE, "the media is READY", async || {
            let media = self.get(&format!("/media/{media}"), by).await["data"]["media"].clone();
            assert_ne!(media["status"], "FAILED", "{media}");
            (media["status"] == "READY").then_some(media)
        })
        .await
    }
}

fn signed_in(data: &Value, kind: &str) -> Somebody {
    let token = data["accessToken"].as_str().unwrap();
    Somebody { id: id(&data[kind]["id"]), bearer: format!("Bearer {token}") }
}

/// What a screen was told of: number, name, and of which media, message or person.
fn told(events: &[Value]) -> Vec<(i64, String, Value)> {
    let logged = events.iter().filter(|event| event["seq"].is_number());
    logged
        .map(|event| {
            let ((seq, name), data) = (brief(event), &event["data"]);
            let subjects = [&data["media"]["id"], &data["attendee"]["id"], &data["id"]];
            (seq, name, subjects.into_iter().find(|id| !id.is_null()).unwrap().clone())
        })
        .collect()
}

#[tokio::test]
async fn a_guests_photo_reaches_another_guests_screen_and_waits_for_who_is_away() {
    let redis = OwnRedis::start().await;
    let line = ChaosProxy::start(Upstream::Unix(redis.socket().to_owned())).await;
    let redis_url = format!("redis://{}", line.address());
    let pod = Process::serve(&fresh(&MIGRATED).await, &redis_url, &[]);
    pod.wait_for("Ready").await;
    let night = Night { pod: pod.address().await };

    let host = night.register("ada").await;
    let made = json!({ "title": "Ada's birthday", "startsAt": "2126-05-01T20:00:00Z", "isPrivate": true });
    let made = night.post("/parties", Some(&host), made).await;
    assert_eq!(made.status, 201, "{made:?}");
    let (party, code) = (id(&made.body["data"]["party"]["id"]), &made.body["data"]["party"]["accessCode"]);
    let started = night.post(&format!("/parties/{party}/start"), Some(&host), json!({})).await;
    assert_eq!((started.status, &started.body["data"]["party"]["status"]), (200, &json!("LIVE")));
    let (watcher, bringer) = (night.join(code, "Bob").await, night.join(code, "Cleo").await);
    let mut screen = Screen::of(&night.pod, &watcher).await;
    let joined = screen.join(party).await;
    let before = joined["seq"].as_i64().unwrap();

    // A photo comes, first as a promise, then to be seen
    let original = pictures::phone_jpeg(800, 600);
    assert!(pictures::contains(&original, PLACE));
    let photo = upload(&night.pod, Some(&bringer), party, form(original, "IMG_1.JPG"), &[]).await;
    assert_eq!(photo.status, 201, "{photo:?}");
    let photo = &photo.body["data"]["media"]["id"];
    let (new, ready) = (screen.logged().await, screen.logged().await);
    assert_eq!(
        told(&[new.clone(), ready.clone()]),
        [
            (before + 1, "party:new_media".to_owned(), photo.clone()),
            (before + 2, "party:media_ready".to_owned(), photo.clone())
        ]
    );
    assert_eq!(new["data"]["media"]["urls"], json!(null));
    let page = night.get(&format!("/parties/{party}/media"), &watcher).await;
    assert_eq!((&page["data"][0]["id"], &page["meta"]["seq"]), (photo, &json!(before + 2)));
    // By the link alone, as a page's <img> has it
    let link = path_of(&ready["data"]["media"]["urls"]["file"]);
    let file = client::get(format!("http://{}{link}", night.pod)).await.unwrap();
    assert_eq!(file.status(), 200);
    let file = file.bytes().await.unwrap();
    assert!(!pictures::contains(&file, PLACE) && !pictures::contains(&file, b"PhoneOfAnn"));
    let (corners, size) = pictures::shown(&file);
    assert_eq!(size, (600, 800), "it lay on its side");
    for (corner, expected) in corners.into_iter().zip([CORNERS[3], CORNERS[0], CORNERS[1], CORNERS[2]]) {
        assert!(pictures::is_like(corner, expected), "{corner:?} for {expected:?}");
    }

    // Who is away misses nothing
    drop(screen);
    let second = form(pictures::jpeg(640, 480), "IMG_2.JPG");
    let second = upload(&night.pod, Some(&bringer), party, second, &[]).await;
    let second = &second.body["data"]["media"]["id"];
    night.shown(second.as_str().unwrap(), &bringer).await;
    let said = json!({ "content": "Cake!" });
    let said = night.post(&format!("/parties/{party}/chat/messages"), Some(&host), said).await;
    let late = night.join(code, "Dora").await;
    let mut screen = Screen::of(&night.pod, &watcher).await;
    let resume = json!({ "partyId": party, "since": before + 2, "epoch": joined["epoch"] });
    let (events, answer) = screen.ask("party:join_live", resume).await;
    assert_eq!(
        told(&events),
        [
            (before + 3, "party:new_media".to_owned(), second.clone()),
            (before + 4, "party:media_ready".to_owned(), second.clone()),
            (before + 5, "chat:new_message".to_owned(), said.body["data"]["message"]["id"].clone()),
            (before + 6, "party:attendee_joined".to_owned(), json!(late.id)),
        ]
    );
    assert_eq!(
        (&answer["data"]["seq"], &answer["data"]["replayed"], &answer["data"]["epoch"]),
        (&json!(before + 6), &json!(4), &joined["epoch"])
    );
    // And goes on from there
    let said = json!({ "content": "Is there any left?" });
    night.post(&format!("/parties/{party}/chat/messages"), Some(&late), said).await;
    assert_eq!(brief(&screen.logged().await), (before + 7, "chat:new_message".to_owned()));
}
