//! Faces of users and covers of parties.

use futures_util::future::join_all;
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    client::Client,
    gathering::{Party, form, path_of},
    pictures,
    poll::eventually,
    screen::{Screen, say},
    stage::{Reply, Somebody, ask, stop},
};

const AVATAR: &str = "/api/v1/users/me/avatar";

async fn put(party: &Party, caller: Option<&Somebody>, path: &str, form: Form) -> Reply {
    let mut request = Client::new().put(party.app.url(path)).multipart(form);
    if let Some(caller) = caller {
        request = request.header("authorization", &caller.bearer);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(json!(null));
    Reply { status, body, headers }
}

/// Shows another face of somebody. Gives its URL.
async fn face(party: &Party, somebody: &Somebody, file: Vec<u8>) -> Value {
    let answer = put(party, Some(somebody), AVATAR, form(file, "me.jpg")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["data"]["user"]["avatarUrl"].clone()
}

/// Gives a party another cover. Gives its URL.
async fn cover(party: &Party, host: &Somebody, file: Vec<u8>) -> Value {
    let answer = put(party, Some(host), &cover_of(party), form(file, "us.jpg")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["data"]["party"]["coverImageUrl"].clone()
}

fn cover_of(party: &Party) -> String {
    format!("/api/v1/parties/{}/cover", party.id)
}

/// The id of the picture behind a URL.
fn picture(url: &Value) -> String {
    let path = path_of(url);
    let path = path.split('?').next().unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

async fn account(party: &Party, somebody: &Somebody) {
    let email = format!("{}@example.com", somebody.id);
    let insert = "INSERT INTO accounts (person_id, email, password_hash) VALUES ($1, $2, '')";
    party.stage.execute(insert, &[&somebody.id, &email]).await;
}

/// A user with an account.
async fn user(party: &Party) -> Somebody {
    let user = party.stage.user().await;
    account(party, &user).await;
    user
}

/// The status of a request for what is behind a URL.
async fn status(party: &Party, caller: Option<&Somebody>, url: &Value) -> u16 {
    party.bytes(caller, &path_of(url), &[]).await.status().as_u16()
}

/// Lets the jobs that wait for their hour be done now.
async fn an_hour_passes(party: &Party) {
    party.stage.execute("UPDATE jobs SET run_at = now()", &[]).await;
    eventually(DEADLINE, "all is done", async || party.stage.jobs().await == 0).await;
}

#[tokio::test]
async fn a_face_is_shown_wherever_its_user_is_and_tells_nothing_else() {
    let party = Party::new(true).await;
    account(&party, &party.host).await;
    let host = Some(&party.host);
    let phone = pictures::phone_jpeg(1200, 800);
    let url = face(&party, &party.host, phone).await;
    let user = format!("/api/v1/users/{}", party.host.id);
    let made = party.upload(host, pictures::jpeg(64, 64), "a.jpg").await.body["data"]["media"].clone();
    party.developed(made["id"].as_str().unwrap()).await;
    let said = say(&party.app, &party.host, party.id, "hello").await;
    let (media, of_party) =
        (format!("/api/v1/media/{}", made["id"].as_str().unwrap()), format!("/api/v1/parties/{}", party.id));
    for (what, caller, path, place) in [
        ("to others", None, user, "/data/user/avatarUrl"),
        ("to oneself", host, "/api/v1/auth/me".to_owned(), "/data/user/avatarUrl"),
        ("among attendees", host, format!("{of_party}/attendees"), "/data/0/user/avatarUrl"),
        ("of the host", host, of_party.clone(), "/data/party/host/avatarUrl"),
        ("of the uploader", host, media, "/data/media/uploader/avatarUrl"),
        ("in the gallery", host, format!("{of_party}/media"), "/data/0/uploader/avatarUrl"),
        ("in the chat", host, format!("{of_party}/chat/messages"), "/data/0/sender/avatarUrl"),
    ] {
        let answer = party.get(caller, &path).await;
        assert_eq!(answer.body.pointer(place), Some(&url), "{what}: {}", answer.body);
    }
    assert_eq!(said["sender"]["avatarUrl"], url);
    let guests = party.get(host, &format!("{of_party}/attendees")).await.body["data"][1]["user"].clone();
    assert_eq!((&guests["isGuest"], &guests["avatarUrl"]), (&json!(true), &json!(null)));

    let served = party.bytes(None, &path_of(&url), &[]).await;
    assert_eq!(served.status(), 200);
    let headers = served.headers().clone();
    assert_eq!(headers["content-type"], "image/jpeg");
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    let bytes = served.bytes().await.unwrap();
    let (corners, size) = pictures::shown(&bytes);
    assert_eq!(size, (267, 400), "upright, and small");
    // Turned by 90°: what was stored at the bottom left is seen at the top left
    assert!(pictures::is_like(corners[0], pictures::CORNERS[3]), "{corners:?}");
    for secret in [&b"Exif"[..], pictures::PLACE, b"PhoneOfAnn"] {
        assert!(!pictures::contains(&bytes, secret), "{secret:?} is still there");
    }
    let etag = headers["etag"].to_str().unwrap();
    let again = party.bytes(None, &path_of(&url), &[("if-none-match", etag)]).await;
    assert_eq!(again.status(), 304);
    let part = party.bytes(None, &path_of(&url), &[("range", "bytes=0-9")]).await;
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().len()), (206, 10));
    let head = Client::new().head(party.app.url(&path_of(&url))).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], bytes.len().to_string().as_str());
    assert_eq!(party.stored(&party.host.id.to_string()), 1, "the photo itself is not kept");
    eventually(DEADLINE, "nothing is left in staging", async || party.stored("/staging/") == 0).await;
    for nothing in [Uuid::now_v7().to_string(), "x".to_owned()] {
        let path = format!("/api/v1/users/{}/avatar/{nothing}", party.host.id);
        assert_eq!(party.bytes(None, &path, &[]).await.status(), 404);
    }
    stop(party.app).await;
}

#[tokio::test]
async fn a_picture_that_is_not_shown_any_more_or_never_was_is_gone() {
    let party = Party::new(true).await;
    let user = user(&party).await;
    let first = face(&party, &user, pictures::jpeg(640, 480)).await;
    let second = face(&party, &user, pictures::png(640, 480)).await;
    assert_ne!(first, second);
    assert_eq!([status(&party, None, &first).await, status(&party, None, &second).await], [404, 200]);
    let first = picture(&first);
    eventually(DEADLINE, "the first one is gone", async || party.stored(&first) == 0).await;
    // The net below every picture does not catch one that is shown
    assert_eq!(party.stage.jobs().await, 2);
    an_hour_passes(&party).await;
    assert_eq!(status(&party, None, &second).await, 200);
    // As a pod leaves it that died between store and row
    let third = face(&party, &user, pictures::jpeg(320, 240)).await;
    party
        .stage
        .execute("UPDATE people SET avatar_id = NULL, avatar_type = NULL WHERE id = $1", &[&user.id])
        .await;
    assert_eq!(party.stored(&picture(&third)), 1);
    an_hour_passes(&party).await;
    assert_eq!(party.stored(".avatar."), 0, "nobody's picture is gone");
    assert_eq!(
        party.get(None, &format!("/api/v1/users/{}", user.id)).await.body["data"]["user"]["avatarUrl"],
        json!(null)
    );
    stop(party.app).await;
}

#[tokio::test]
async fn of_many_faces_at_once_one_is_left() {
    let party = Party::new(true).await;
    let user = user(&party).await;
    let shown = join_all((0..10).map(|n| {
        let (party, user) = (&party, &user);
        async move {
            loop {
                let file = pictures::salted_jpeg(640, 480, n);
                let answer = put(party, Some(user), AVATAR, form(file, "me.jpg")).await;
                // Where it is crowded, one comes again
                if answer.status != 503 {
                    assert_eq!(answer.status, 200, "{answer:?}");
                    return answer.body["data"]["user"]["avatarUrl"].clone();
                }
                assert!(answer.headers.contains_key("retry-after"));
            }
        }
    }))
    .await;
    let user = format!("/api/v1/users/{}", user.id);
    let last = party.get(None, &user).await.body["data"]["user"]["avatarUrl"].clone();
    assert_eq!(shown.iter().filter(|url| **url == last).count(), 1);
    eventually(DEADLINE, "the others are gone", async || party.stored(".avatar.") == 1).await;
    assert_eq!(status(&party, None, &last).await, 200);
    stop(party.app).await;
}

#[tokio::test]
async fn who_may_not_and_what_is_no_picture_is_refused_by_its_own_problem() {
    let party = Party::new(true).await;
    let (user, cohost, comes) = (user(&party).await, user(&party).await, user(&party).await);
    party.stage.place(party.id, &cohost, "cohost", "in", "GOING").await;
    party.stage.place(party.id, &comes, "attendee", "in", "GOING").await;
    let (screen, gone) = (party.stage.display(), party.stage.user().await);
    let of_party = cover_of(&party);
    let nowhere = format!("/api/v1/parties/{}/cover", Uuid::now_v7());
    for (what, caller, path, expected) in [
        ("nobody's face", None, AVATAR, (401, "UNAUTHENTICATED")),
        ("a guest's face", Some(&party.guest), AVATAR, (403, "FORBIDDEN")),
        ("a screen's face", Some(&screen), AVATAR, (403, "FORBIDDEN")),
        ("the face of who is gone", Some(&gone), AVATAR, (401, "UNAUTHENTICATED")),
        ("a guest's cover", Some(&party.guest), &of_party, (403, "FORBIDDEN")),
        ("an attendee's cover", Some(&comes), &of_party, (403, "FORBIDDEN")),
        ("a stranger's cover", Some(&user), &of_party, (404, "NOT_FOUND")),
        ("nobody's cover", None, &of_party, (404, "NOT_FOUND")),
        ("a cover of nothing", Some(&cohost), &nowhere, (404, "NOT_FOUND")),
    ] {
        let answer = put(&party, caller, path, form(pictures::jpeg(64, 64), "a.jpg")).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (expected.0, Some(expected.1)), "{what}");
    }
    let jpeg = pictures::jpeg(64, 64);
    let mut endless = jpeg.clone();
    endless.resize(26_000_000, 0);
    let mut half = pictures::noise(300, 200);
    half.truncate(half.len() / 2);
    for path in [AVATAR, &of_party] {
        for (what, form, expected) in [
            ("text", form(b"a letter".repeat(100), "a.jpg"), (415, "UNSUPPORTED_MEDIA")),
            ("nothing", form(Vec::new(), "a.jpg"), (415, "UNSUPPORTED_MEDIA")),
            ("26 MB", form(endless.clone(), "a.jpg"), (413, "PAYLOAD_TOO_LARGE")),
            ("a bomb", form(pictures::bomb(), "a.png"), (413, "PAYLOAD_TOO_LARGE")),
            ("half a picture", form(half.clone(), "a.jpg"), (400, "VALIDATION_ERROR")),
            ("no file", Form::new().text("url", "https://example.com/a.jpg"), (400, "MALFORMED_BODY")),
            (
                "two files",
                form(jpeg.clone(), "a.jpg").part("file", Part::bytes(jpeg.clone())),
                (400, "MALFORMED_BODY"),
            ),
        ] {
            let answer = put(&party, Some(&cohost), path, form).await;
            let told = (answer.status, answer.body["code"].as_str());
            assert_eq!(told, (expected.0, Some(expected.1)), "{what} at {path}: {answer:?}");
        }
    }
    assert_eq!([party.stored(".avatar."), party.stored(".cover.")], [0, 0], "what is refused is not kept");
    assert_eq!(party.kinds().await, [], "nor told");
    let odd = form(jpeg, "a.jpg").text("caption", "passed over");
    assert_eq!(put(&party, Some(&cohost), &of_party, odd).await.status, 200);
    stop(party.app).await;
}

#[tokio::test]
async fn the_cover_of_a_private_party_is_for_those_who_may_see_it_and_their_links() {
    let party = Party::new(true).await;
    let stranger = party.stage.user().await;
    let path = format!("/api/v1/parties/{}", party.id);
    let mut screen = Screen::of(&party.app, &party.guest).await;
    screen.join(party.id).await;
    // 12 megapixels
    let first = cover(&party, &party.host, pictures::jpeg(4000, 3000)).await;
    let told = screen.logged().await;
    assert_eq!((&told["event"], &told["data"]["party"]["coverImageUrl"]), (&json!("party:updated"), &first));
    for caller in [&party.host, &party.guest] {
        assert_eq!(party.get(Some(caller), &path).await.body["data"]["party"]["coverImageUrl"], first);
    }
    let served = party.bytes(None, &path_of(&first), &[]).await;
    assert_eq!(
        (served.status().as_u16(), &served.headers()["cache-control"]),
        (200, &"private, max-age=300".parse().unwrap())
    );
    assert_eq!(pictures::shown(&served.bytes().await.unwrap()).1, (1600, 1200));
    let signed = path_of(&first);
    let plain = signed.split('?').next().unwrap();
    for (who, caller, expected) in [
        ("a guest", Some(&party.guest), 200),
        ("the host", Some(&party.host), 200),
        ("a stranger", Some(&stranger), 404),
        ("nobody", None, 404),
    ] {
        assert_eq!(party.bytes(caller, plain, &[]).await.status(), expected, "{who}");
    }
    let tampered = signed.replace("expires=", "expires=1");
    assert_eq!(party.bytes(None, &tampered, &[]).await.status(), 404);

    let second = cover(&party, &party.host, pictures::phone_jpeg(640, 480)).await;
    assert_eq!(screen.logged().await["data"]["party"]["coverImageUrl"], second);
    assert_eq!([status(&party, None, &first).await, status(&party, None, &second).await], [404, 200]);
    let bytes = party.bytes(None, &path_of(&second), &[]).await.bytes().await.unwrap();
    assert_eq!(pictures::shown(&bytes).1, (480, 640));
    assert!(!pictures::contains(&bytes, pictures::PLACE) && !pictures::contains(&bytes, b"Exif"));
    let gone = picture(&first);
    eventually(DEADLINE, "the first one is gone", async || party.stored(&gone) == 0).await;

    let ask_host = async |method, path: &str, body| {
        ask(&party.app, Some(&party.host), method, path, &[], Some(body)).await.body["data"]["party"].clone()
    };
    let code = ask_host(Method::POST, &format!("{path}/access-code"), json!({})).await["accessCode"].clone();
    let by_code = ask(
        &party.app,
        None,
        Method::POST,
        "/api/v1/parties/by-code",
        &[],
        Some(json!({ "accessCode": code })),
    );
    assert_eq!(by_code.await.body["data"]["party"]["coverUrl"], second, "what one sees before joining");

    let open = ask_host(Method::PATCH, &path, json!({ "isPrivate": false })).await["coverImageUrl"].clone();
    assert!(!path_of(&open).contains('?'), "{open}");
    let served = party.bytes(Some(&stranger), &path_of(&open), &[]).await;
    assert_eq!(
        (served.status().as_u16(), &served.headers()["cache-control"]),
        (200, &"public, max-age=300".parse().unwrap())
    );
    ask_host(Method::PATCH, &path, json!({ "isPrivate": true })).await;
    assert_eq!(status(&party, None, &open).await, 404);
    assert_eq!(status(&party, None, &second).await, 404, "links from before are dead");
    stop(party.app).await;
}

#[tokio::test]
async fn an_erased_party_takes_its_cover_along() {
    let party = Party::with(false, &[("RETENTION_DAYS", "0")]).await;
    let url = cover(&party, &party.host, pictures::jpeg(64, 64)).await;
    assert_eq!(status(&party, None, &url).await, 200);
    let path = format!("/api/v1/parties/{}", party.id);
    let deleted = ask(&party.app, Some(&party.host), Method::DELETE, &path, &[], None).await;
    assert_eq!(deleted.status, 204);
    eventually(DEADLINE, "its cover is gone", async || party.stored(".cover.") == 0).await;
    eventually(DEADLINE, "it is erased", async || status(&party, None, &url).await == 404).await;
    stop(party.app).await;
}
