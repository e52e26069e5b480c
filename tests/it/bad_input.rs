//! Bad input of every sort against the binary: each is told what it is, and the service takes no harm.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use party_gallery::{
    config::JwtSecrets,
    http::routes::OPERATIONS,
    realtime::Kind,
    service::tokens::{ACCESS_TOKEN, Tokens},
};
use party_gallery_actors::health::wall_clock;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    client::{Client, RequestBuilder},
    gathering::{form, upload},
    house::House,
    pictures,
    poll::eventually,
    process::{Process, SECRET},
    screen::Screen,
    stage::{Somebody, Stage, ask},
};

/// What a pod may hold of the machine's memory, in bytes.
const MEMORY: u64 = 400_000_000;
/// For eight of the largest pictures, one after the other, on a busy machine.
const DEVELOPED_WITHIN: Duration = Duration::from_secs(180);

/// A pod with a private party in it.
struct Place {
    house: House,
    process: Process,
    pod: SocketAddr,
    stage: Stage,
    host: Somebody,
    guest: Somebody,
    party: Uuid,
    client: Client,
}

impl Place {
    async fn open() -> Self {
        let house = House::start().await;
        let (process, pod) = house.pod(&[]).await;
        let stage = house.stage();
        let host = stage.user().await;
        let party = stage.party(&host, "LIVE", true).await;
        let guest = stage.guest(party).await;
        Self { house, process, pod, stage, host, guest, party, client: Client::new() }
    }

    fn request(&self, method: Method, path: &str, bearer: Option<&str>) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}/api/v1{path}", self.pod));
        match bearer {
            Some(bearer) => request.header("authorization", bearer),
            None => request,
        }
    }

    /// The media once it is what it becomes.
    async fn developed(&self, id: &Value) -> Value {
        let path = format!("/api/v1/media/{}", id.as_str().unwrap());
        eventually(DEVELOPED_WITHIN, "the media is READY or FAILED", async || {
            let reply = ask(&self.pod, Some(&self.host), Method::GET, &path, &[], None).await;
            let media = reply.body["data"]["media"].clone();
            ["READY", "FAILED"].contains(&media["status"].as_str()?).then_some(media)
        })
        .await
    }

    /// It is ready, and has never held more than it may.
    async fn is_well(&self) {
        let ready = self.client.get(format!("http://{}/health/ready", self.pod)).send().await.unwrap();
        assert_eq!(ready.status(), 200);
        let peak = self.process.peak();
        assert!(peak < MEMORY, "{peak} bytes");
        eventually(DEVELOPED_WITHIN, "nothing is stuck", async || self.stage.jobs().await == 0).await;
        assert!(self.process.lines().iter().all(|line| line["message"] != "Actor restarted"));
    }
}

/// Status and code of an answer; a problem is told as such.
async fn outcome(what: &str, request: RequestBuilder) -> (u16, String, Value) {
    let answer = request.send().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").cloned();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    if status >= 400 && !body.is_null() {
        assert_eq!(content_type.unwrap(), "application/problem+json", "{what}");
        assert_eq!((&body["status"], &body["success"]), (&json!(status), &json!(false)), "{what}");
    }
    (status, body["code"].as_str().unwrap_or_default().to_owned(), body)
}

/// As old a clock as makes a token expired that was good for as long as they are.
fn an_hour_ago() -> SystemTime {
    wall_clock() - Duration::from_secs(3_600)
}

/// A JPEG of more pixels than are taken, whose head is too long to show it.
fn late_giant() -> Vec<u8> {
    let mut jpeg = pictures::jpeg(64, 64);
    let frame =
        jpeg.windows(2).position(|marker| [[0xff, 0xc0], [0xff, 0xc2]].contains(&[marker[0], marker[1]]));
    let sides = frame.unwrap() + 5;
    jpeg[sides..sides + 4].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    let padding = "x".repeat(60_000);
    pictures::commented(&pictures::commented(&jpeg, &padding), &padding)
}

#[tokio::test]
async fn each_is_told_what_it_is_and_the_pod_stays_well() {
    let place = Place::open().await;
    let (host, guest) = (Some(place.host.bearer.as_str()), Some(place.guest.bearer.as_str()));
    let secrets: JwtSecrets = SECRET.parse().unwrap();
    let expired = Tokens::new(&secrets, an_hour_ago).issue(Kind::User, place.host.id, ACCESS_TOKEN).unwrap();
    let expired = format!("Bearer {}", expired.expose());
    let forged = format!("{}x", place.host.bearer);
    let (parties, media) = ("/parties", format!("/parties/{}/media", place.party));
    let chat = format!("/parties/{}/chat/messages", place.party);
    let json = |path: &str, bearer, body: &str| {
        let request = place.request(Method::POST, path, bearer).header("content-type", "application/json");
        request.body(body.to_owned())
    };
    let photo =
        |file: Vec<u8>, name: &str| place.request(Method::POST, &media, guest).multipart(form(file, name));
    let megabyte = json!({ "title": "x".repeat(1_000_000), "startsAt": "2126-05-01T20:00:00Z" }).to_string();
    let deep = format!("{{\"title\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let text = b"This is a letter, not a photo.".repeat(100);
    let mut endless = pictures::jpeg(640, 480);
    endless.resize(26_000_000, 0);
    let bomb = pictures::whole_bomb();
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());
    let titled = |title: &str| json!({ "title": title, "startsAt": "2126-05-01T20:00:00Z" }).to_string();
    for (what, request, status, code) in [
        ("no token", place.request(Method::GET, "/auth/me", None), 401, "UNAUTHENTICATED"),
        ("no token", json(parties, None, &titled("A party")), 401, "UNAUTHENTICATED"),
        ("a bad token", place.request(Method::GET, "/auth/me", Some("Bearer x.y.z")), 401, "UNAUTHENTICATED"),
        ("a forged token", place.request(Method::GET, "/auth/me", Some(&forged)), 401, "UNAUTHENTICATED"),
        ("an expired token", place.request(Method::GET, "/auth/me", Some(&expired)), 401, "TOKEN_EXPIRED"),
        (
            "the same where none is needed",
            place.request(Method::GET, parties, Some(&expired)),
            401,
            "TOKEN_EXPIRED",
        ),
        ("malformed JSON", json(parties, host, "{\"title\":"), 400, "MALFORMED_BODY"),
        ("JSON that is no object", json(parties, host, "[1]"), 400, "MALFORMED_BODY"),
        ("JSON nested 100,000 deep", json(parties, host, &deep), 400, "MALFORMED_BODY"),
        (
            "JSON that is not UTF-8",
            json(parties, host, "").body(&b"{\"title\":\"\xff\"}"[..]),
            400,
            "MALFORMED_BODY",
        ),
        ("1 MB of JSON", json(parties, host, &megabyte), 413, "PAYLOAD_TOO_LARGE"),
        ("a control character", json(parties, host, &titled("A\u{7}party")), 400, "VALIDATION_ERROR"),
        ("a null character", json(&chat, guest, "{\"content\":\"a\\u0000b\"}"), 400, "VALIDATION_ERROR"),
        ("an escape sequence", json(&chat, guest, "{\"content\":\"\\u001b[2J\"}"), 400, "VALIDATION_ERROR"),
        ("a text turned round", json(parties, host, &titled("A\u{202e}party")), 400, "VALIDATION_ERROR"),
        ("text named .jpg", photo(text, "a.jpg"), 415, "UNSUPPORTED_MEDIA"),
        ("a bomb", photo(bomb, "a.png"), 413, "PAYLOAD_TOO_LARGE"),
        ("26 MB", photo(endless, "a.jpg"), 413, "PAYLOAD_TOO_LARGE"),
    ] {
        let (told, told_code, body) = outcome(what, request).await;
        assert_eq!((told, told_code.as_str()), (status, code), "{what}: {body}");
    }
    // What only its decoder can tell is taken, and fails
    let mut half = pictures::noise(1200, 900);
    half.truncate(half.len() / 2);
    for (what, file) in [("a truncated JPEG", half), ("a giant behind a long head", late_giant())] {
        let (status, _, body) = outcome(what, photo(file, "a.jpg")).await;
        assert_eq!(status, 201, "{what}: {body}");
        let media = place.developed(&body["data"]["media"]["id"]).await;
        assert_eq!((&media["status"], &media["urls"]), (&json!("FAILED"), &json!(null)), "{what}: {media}");
        assert!(media["failure"].is_string(), "{what}: {media}");
    }
    // And what is good is still taken
    let (_, _, body) = outcome("a photo", photo(pictures::jpeg(640, 480), "a.jpg")).await;
    assert_eq!(place.developed(&body["data"]["media"]["id"]).await["status"], "READY");
    eventually(DEVELOPED_WITHIN, "no job is left", async || place.stage.jobs().await == 0).await;
    assert_eq!(place.house.stored("").len(), 3, "of what was refused nothing is kept");
    place.is_well().await;
}

/// The routes below a party or a media, as the route table has them.
fn routes_below(noun: &str) -> Vec<&'static str> {
    let mut paths: Vec<_> =
        OPERATIONS.iter().map(|operation| operation.path).filter(|path| path.starts_with(noun)).collect();
    paths.dedup();
    paths
}

#[tokio::test]
async fn a_strangers_private_party_is_like_one_that_is_not_there_in_every_sub_resource() {
    let place = Place::open().await;
    let photo =
        upload(&place.pod, Some(&place.guest), place.party, form(pictures::jpeg(64, 64), "a.jpg"), &[]);
    let photo = photo.await.body["data"]["media"]["id"].clone();
    assert_eq!(place.developed(&photo).await["status"], "READY");
    let elsewhere = place.stage.party(&place.host, "LIVE", true).await;
    let (stranger, foreigner) = (place.stage.user().await, place.stage.guest(elsewhere).await);
    let party = place.party.to_string();
    let (mut asked, mut hidden) = (0, 0);
    for (noun, there) in [("/parties/{id}", party.as_str()), ("/media/{id}", photo.as_str().unwrap())] {
        let routes = routes_below(noun);
        assert!(routes.len() >= 4, "{routes:?}");
        for route in routes {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
                let method: Method = method.parse().unwrap();
                for (who, caller) in [
                    ("a stranger", Some(&stranger)),
                    ("a guest of another", Some(&foreigner)),
                    ("nobody", None),
                ] {
                    let what = format!("{method} {route} by {who}");
                    let ask = |id: &str| {
                        // What else the path names is not there either
                        let path = route.replacen("{id}", id, 1);
                        let path = path.split('/').map(|part| if part.starts_with('{') { id } else { part });
                        let path = path.collect::<Vec<_>>().join("/");
                        let bearer = caller.map(|caller| caller.bearer.as_str());
                        let request = place.request(method.clone(), &path, bearer);
                        match (&method, route.ends_with("/media")) {
                            (&Method::GET | &Method::HEAD, _) => request,
                            (_, true) => request.multipart(form(pictures::jpeg(64, 64), "a.jpg")),
                            (_, false) => request.json(&json!({ "content": "hi", "title": "Mine" })),
                        }
                    };
                    let (status, code, body) = outcome(&what, ask(there)).await;
                    let (other, other_code, other_body) =
                        outcome(&what, ask(&Uuid::now_v7().to_string())).await;
                    assert_eq!((status, &code), (other, &other_code), "{what}");
                    assert_eq!(body["detail"], other_body["detail"], "{what}");
                    assert!([404, 405].contains(&status), "{what}: {status} {body}");
                    asked += 1;
                    hidden += usize::from(status == 404);
                }
            }
        }
    }
    assert!(hidden >= 3 * 15, "{hidden} of {asked}");
    let mut screen = Screen::of(&place.pod, &stranger).await;
    for event in ["party:join_live", "chat:join"] {
        assert_eq!(screen.refused(event, json!({ "partyId": place.party })).await, "NOT_FOUND");
    }
    place.is_well().await;
}

#[tokio::test]
async fn eight_of_the_largest_photos_at_once_are_developed_within_the_memory() {
    let place = Place::open().await;
    // The most bytes, the fewest, and what is usual
    let (dense, plain) = (pictures::huge_jpeg(2), pictures::huge_jpeg(64));
    assert!(dense.len() > 20_000_000 && dense.len() < 25_000_000, "{}", dense.len());
    let usual = (0..6).map(|number| pictures::commented(&plain, &number.to_string()));
    let uploads = usual.chain([dense, pictures::huge_webp()]).map(|photo| {
        let photo = form(photo, "photo");
        upload(&place.pod, Some(&place.guest), place.party, photo, &[])
    });
    for made in futures_util::future::join_all(uploads).await {
        assert_eq!(made.status, 201, "{made:?}");
        let media = place.developed(&made.body["data"]["media"]["id"]).await;
        assert_eq!(
            (&media["status"], &media["width"], &media["height"]),
            (&json!("READY"), &json!(pictures::HUGE.0), &json!(pictures::HUGE.1)),
            "{media}"
        );
    }
    eventually(DEVELOPED_WITHIN, "no job is left", async || place.stage.jobs().await == 0).await;
    place.is_well().await;
}
