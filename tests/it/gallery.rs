//! Photos, from a guest's phone to whoever may see them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{
    Method, Response,
    header::HeaderMap,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    pictures::{self, CORNERS, PLACE},
    poll::eventually,
    servers,
    stage::{Reply, Somebody, Stage, ask, stop},
};

/// A pod, a host, a LIVE private party and a guest in it.
struct Party {
    stage: Stage,
    app: TestApp,
    host: Somebody,
    guest: Somebody,
    id: Uuid,
    storage: PathBuf,
}

impl Party {
    async fn new(is_private: bool) -> Self {
        Self::with(is_private, &[]).await
    }

    async fn with(is_private: bool, more: &[(&str, &str)]) -> Self {
        let stage = Stage::new().await;
        let storage = servers::directory(&format!("storage-{}", Uuid::new_v4().simple()));
        let url = format!("file://{}", storage.display());
        let more = [more, &[("STORAGE_URL", url.as_str())]].concat();
        let app = stage.pod_with(&servers::fresh_redis().await, &more).await;
        let host = stage.user().await;
        let id = stage.party(&host, "LIVE", is_private).await;
        let guest = stage.guest(id).await;
        Self { stage, app, host, guest, id, storage }
    }

    async fn upload(&self, caller: Option<&Somebody>, file: Vec<u8>, name: &str) -> Reply {
        upload(&self.app, caller, self.id, form(file, name), &[]).await
    }

    async fn get(&self, caller: Option<&Somebody>, path: &str) -> Reply {
        ask(&self.app, caller, Method::GET, path, &[], None).await
    }

    /// The media once it is what it becomes.
    async fn developed(&self, id: &str) -> Value {
        eventually(DEADLINE, "the media is READY or FAILED", async || {
            let media =
                self.get(Some(&self.host), &format!("/api/v1/media/{id}")).await.body["data"]["media"]
                    .clone();
            ["READY", "FAILED"].contains(&media["status"].as_str()?).then_some(media)
        })
        .await
    }

    /// The bytes behind a path, in somebody's name.
    async fn bytes(&self, caller: Option<&Somebody>, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = reqwest::Client::new().get(self.app.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(caller) = caller {
            request = request.header("authorization", &caller.bearer);
        }
        request.send().await.unwrap()
    }

    /// The files of the store that are called so.
    fn stored(&self, name: &str) -> usize {
        fn below(directory: &Path) -> Vec<PathBuf> {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            entries
                .flat_map(
                    |entry| if entry.path().is_dir() { below(&entry.path()) } else { vec![entry.path()] },
                )
                .collect()
        }
        below(&self.storage).iter().filter(|path| path.to_string_lossy().contains(name)).count()
    }

    async fn kinds(&self) -> Vec<(i64, String)> {
        self.stage.events(self.id).await
    }
}

fn form(file: Vec<u8>, name: &str) -> Form {
    Form::new().part("file", Part::bytes(file).file_name(name.to_owned()))
}

async fn upload(
    app: &TestApp,
    caller: Option<&Somebody>,
    party: Uuid,
    form: Form,
    headers: &[(&str, &str)],
) -> Reply {
    let mut request =
        reqwest::Client::new().post(app.url(&format!("/api/v1/parties/{party}/media"))).multipart(form);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(caller) = caller {
        request = request.header("authorization", &caller.bearer);
    }
    let answer = request.send().await.unwrap();
    let (status, headers): (u16, HeaderMap) = (answer.status().as_u16(), answer.headers().clone());
    let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(json!(null));
    Reply { status, body, headers }
}

/// The path and query of an absolute URL: tests' pods have other ports than their public URL.
fn path_of(url: &Value) -> String {
    let url = reqwest::Url::parse(url.as_str().expect("a URL")).unwrap();
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[tokio::test]
async fn a_guests_photo_is_shown_upright_and_tells_nobody_where_it_was_taken() {
    let party = Party::new(true).await;
    let original = pictures::phone_jpeg(800, 600);
    assert!(pictures::contains(&original, PLACE) && pictures::contains(&original, b"PhoneOfAnn"));
    let form = form(original, "IMG_0001.JPG")
        .text("caption", " The cake \n")
        .text("mood", "HYPE")
        .text("tags", "Cake");
    let made = upload(&party.app, Some(&party.guest), party.id, form, &[]).await;
    assert_eq!(made.status, 201, "{made:?}");
    let media = &made.body["data"]["media"];
    let id = media["id"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("/api/v1/media/{id}"));
    assert_eq!(
        [&media["status"], &media["urls"], &media["caption"], &media["mood"], &media["tags"], &media["seq"]],
        [&json!("PROCESSING"), &json!(null), &json!("The cake"), &json!("HYPE"), &json!(["cake"]), &json!(1)]
    );

    let media = party.developed(id).await;
    assert_eq!(media["status"], "READY", "{media}");
    // It lay on its side, 800 × 600
    assert_eq!([&media["width"], &media["height"], &media["seq"]], [&json!(600), &json!(800), &json!(2)]);
    assert!(media["thumbhash"].is_string());
    for (rendition, side) in [("file", 800), ("preview", 800), ("thumb", 400)] {
        let path = path_of(&media["urls"][rendition]);
        let answer = party.bytes(None, &path, &[]).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let bytes = answer.bytes().await.unwrap();
        assert!(
            !pictures::contains(&bytes, PLACE) && !pictures::contains(&bytes, b"PhoneOfAnn"),
            "{rendition}"
        );
        let (corners, (width, height)) = pictures::shown(&bytes);
        assert_eq!((width, height), (side * 3 / 4, side), "{rendition}");
        // Turned by a quarter to the right: what was bottom left is top left
        for (corner, expected) in corners.into_iter().zip([CORNERS[3], CORNERS[0], CORNERS[1], CORNERS[2]]) {
            assert!(pictures::is_like(corner, expected), "{rendition}: {corner:?} for {expected:?}");
        }
    }
    let kinds: Vec<_> = party.kinds().await;
    assert_eq!(kinds, [(1, "party:new_media".to_owned()), (2, "party:media_ready".to_owned())]);
    stop(party.app).await;
}

#[tokio::test]
async fn nothing_is_served_before_it_is_ready_and_signed_links_die_with_their_media() {
    let party = Party::new(true).await;
    // One that waits for ever: no job was left for it
    let waiting = party.stage.photo(party.id, &party.guest, "PROCESSING").await;
    for rendition in ["file", "preview", "thumb"] {
        for caller in [&party.host, &party.guest] {
            let answer =
                party.bytes(Some(caller), &format!("/api/v1/media/{waiting}/{rendition}"), &[]).await;
            assert_eq!(answer.status(), 404, "{rendition}");
        }
    }
    let made = party.upload(Some(&party.guest), pictures::jpeg(64, 64), "a.jpg").await;
    let id = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    let media = party.developed(&id).await;
    let link = path_of(&media["urls"]["file"]);
    assert_eq!(party.bytes(None, &link, &[]).await.status(), 200);
    // Without its signature, or with another's, it opens nothing to a stranger
    let (bare, _) = link.split_once('?').unwrap();
    assert_eq!(party.bytes(None, bare, &[]).await.status(), 404);
    assert_eq!(party.bytes(None, &link.replace("/file?", "/thumb?"), &[]).await.status(), 404);
    assert_eq!(party.bytes(None, &format!("{link}x"), &[]).await.status(), 404);
    // With it, but a bad token: 401 always
    assert_eq!(party.bytes(None, &link, &[("authorization", "Bearer nonsense")]).await.status(), 401);
    let deleted =
        ask(&party.app, Some(&party.guest), Method::DELETE, &format!("/api/v1/media/{id}"), &[], None).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    assert_eq!(party.bytes(None, &link, &[]).await.status(), 404);
    assert_eq!(party.get(Some(&party.host), &format!("/api/v1/media/{id}")).await.status, 404);
    stop(party.app).await;
}

#[tokio::test]
async fn files_come_in_parts_with_etags_and_heads() {
    let party = Party::new(false).await;
    let made = party.upload(Some(&party.guest), pictures::jpeg(64, 64), "a.jpg").await;
    let id = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    let media = party.developed(&id).await;
    // On a public party the link is plain and good for everybody
    let path = path_of(&media["urls"]["file"]);
    assert!(!path.contains('?'), "{path}");
    let whole = party.bytes(None, &path, &[]).await;
    let (etag, length) =
        (whole.headers()["etag"].to_str().unwrap().to_owned(), whole.content_length().unwrap());
    assert!(whole.headers()["cache-control"].to_str().unwrap().starts_with("public"));
    let bytes = whole.bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, length);
    assert_eq!(media["size"], json!(length));

    let part = party.bytes(None, &path, &[("range", "bytes=10-19")]).await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], format!("bytes 10-19/{length}"));
    assert_eq!(part.bytes().await.unwrap(), bytes[10..20]);
    let tail = party.bytes(None, &path, &[("range", "bytes=-5"), ("if-range", &etag)]).await;
    assert_eq!(tail.bytes().await.unwrap(), bytes[bytes.len() - 5..]);
    let beyond = party.bytes(None, &path, &[("range", "bytes=99999999-")]).await;
    assert_eq!(beyond.status(), 416);
    assert_eq!(beyond.headers()["content-range"], format!("bytes */{length}"));
    assert_eq!(beyond.json::<Value>().await.unwrap()["code"], "RANGE_NOT_SATISFIABLE");
    let known = party.bytes(None, &path, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status().as_u16(), known.bytes().await.unwrap().len()), (304, 0));
    let head = reqwest::Client::new().head(party.app.url(&path)).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"]),
        (200, &length.to_string().parse().unwrap())
    );
    assert_eq!(head.headers()["etag"], etag);
    stop(party.app).await;
}

#[tokio::test]
async fn what_is_no_photo_is_refused_by_its_own_problem_and_the_pod_stays_healthy() {
    let party = Party::new(true).await;
    let text = b"This is a letter, not a photo.".repeat(100);
    let (guest, stranger) = (Some(&party.guest), party.stage.user().await);
    let jpeg = pictures::jpeg(640, 480);
    let mut endless = pictures::jpeg(640, 480);
    endless.resize(26_000_000, 0);
    for (what, caller, form, expected) in [
        ("text named .jpg", guest, form(text.clone(), "a.jpg"), (415, "UNSUPPORTED_MEDIA")),
        ("text", guest, form(text, "a.txt"), (415, "UNSUPPORTED_MEDIA")),
        ("a photo named .mp4", guest, form(jpeg.clone(), "a.mp4"), (415, "UNSUPPORTED_MEDIA")),
        ("nothing", guest, form(Vec::new(), "a.jpg"), (415, "UNSUPPORTED_MEDIA")),
        ("a bomb", guest, form(pictures::bomb(), "a.png"), (413, "PAYLOAD_TOO_LARGE")),
        ("26 MB", guest, form(endless, "a.jpg"), (413, "PAYLOAD_TOO_LARGE")),
        ("no file", guest, Form::new().text("caption", "x"), (400, "MALFORMED_BODY")),
        (
            "two files",
            guest,
            form(jpeg.clone(), "a.jpg").part("file", Part::bytes(jpeg.clone())),
            (400, "MALFORMED_BODY"),
        ),
        (
            "a mood nobody knows",
            guest,
            form(jpeg.clone(), "a.jpg").text("mood", "SLEEPY"),
            (400, "VALIDATION_ERROR"),
        ),
        (
            "control characters",
            guest,
            form(jpeg.clone(), "a.jpg").text("caption", "a\u{7}b"),
            (400, "VALIDATION_ERROR"),
        ),
        (
            "too long a caption",
            guest,
            form(jpeg.clone(), "a.jpg").text("caption", "x".repeat(501)),
            (400, "VALIDATION_ERROR"),
        ),
        ("a stranger", Some(&stranger), form(jpeg.clone(), "a.jpg"), (404, "NOT_FOUND")),
        ("nobody", None, form(jpeg.clone(), "a.jpg"), (404, "NOT_FOUND")),
    ] {
        let answer = upload(&party.app, caller, party.id, form, &[]).await;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (expected.0, Some(expected.1)),
            "{what}: {answer:?}"
        );
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
    }
    let url = party.app.url(&format!("/api/v1/parties/{}/media", party.id));
    for (what, content_type, body) in [
        ("no form", "application/json", "{}".to_owned()),
        ("a form without boundary", "multipart/form-data", "x".to_owned()),
        (
            "a form that ends early",
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc".to_owned(),
        ),
        ("rubbish", "multipart/form-data; boundary=b", "rubbish".repeat(100)),
    ] {
        let answer = reqwest::Client::new()
            .post(&url)
            .header("authorization", &party.guest.bearer)
            .header("content-type", content_type)
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        assert!([400, 415].contains(&status), "{what}: {status}");
    }
    // Broken behind its first 64 KiB: it is taken, and ends FAILED with a reason
    let mut noisy = pictures::noise(1200, 900);
    noisy.truncate(noisy.len() / 2);
    assert!(noisy.len() > 100_000, "{}", noisy.len());
    let made = party.upload(guest, noisy, "half.jpg").await;
    assert_eq!(made.status, 201, "{made:?}");
    let media = party.developed(made.body["data"]["media"]["id"].as_str().unwrap()).await;
    assert_eq!(
        [&media["status"], &media["failure"], &media["urls"]],
        [&json!("FAILED"), &json!("truncated"), &json!(null)]
    );
    assert_eq!(party.app.get("/health").await.0, 200);
    let kinds: Vec<_> = party.kinds().await.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["party:new_media", "party:media_removed"], "what was refused told nobody anything");
    assert_eq!(party.stage.jobs().await, 0, "nothing is stuck");
    stop(party.app).await;
}

#[tokio::test]
async fn the_same_bytes_of_the_same_person_are_one_media() {
    let party = Party::new(true).await;
    let file = pictures::jpeg(64, 64);
    let first = party.upload(Some(&party.guest), file.clone(), "a.jpg").await;
    let again = party.upload(Some(&party.guest), file.clone(), "b.jpg").await;
    let other = party.upload(Some(&party.host), file.clone(), "a.jpg").await;
    assert_eq!((first.status, again.status, other.status), (201, 200, 201));
    let id = |reply: &Reply| reply.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    assert_eq!(id(&first), id(&again));
    assert_ne!(id(&first), id(&other));
    // At once as well: one person's uploads take turns
    let file = pictures::salted_jpeg(64, 64, 1);
    let uploads = (0..8).map(|_| party.upload(Some(&party.guest), file.clone(), "c.jpg"));
    let all = futures_util::future::join_all(uploads).await;
    assert_eq!(all.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(all.iter().all(|reply| id(reply) == id(&all[0])));
    stop(party.app).await;
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let party = Party::new(true).await;
    let key = [("idempotency-key", "my first photo")];
    let file = pictures::jpeg(64, 64);
    let first = upload(&party.app, Some(&party.guest), party.id, form(file.clone(), "a.jpg"), &key).await;
    let again = upload(&party.app, Some(&party.guest), party.id, form(file, "a.jpg"), &key).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body["data"], again.body["data"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = pictures::salted_jpeg(64, 64, 1);
    let other = upload(&party.app, Some(&party.guest), party.id, form(other, "a.jpg"), &key).await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("IDEMPOTENCY_MISMATCH")));
    stop(party.app).await;
}

#[tokio::test]
async fn a_quota_is_exact_under_any_concurrency() {
    let party = Party::with(true, &[("QUOTA_PERSON_MEDIA", "5")]).await;
    let uploads =
        (0..12).map(|n| party.upload(Some(&party.guest), pictures::salted_jpeg(64, 64, n + 1), "a.jpg"));
    let all = futures_util::future::join_all(uploads).await;
    assert_eq!(all.iter().filter(|reply| reply.status == 201).count(), 5);
    assert!(
        all.iter().filter(|reply| reply.status != 201).all(|reply| reply.body["code"] == "QUOTA_EXCEEDED")
    );
    // Another person has their own, and what was deleted does not count
    assert_eq!(party.upload(Some(&party.host), pictures::jpeg(64, 64), "a.jpg").await.status, 201);
    let id =
        all.iter().find(|reply| reply.status == 201).unwrap().body["data"]["media"]["id"].as_str().unwrap();
    ask(&party.app, Some(&party.guest), Method::DELETE, &format!("/api/v1/media/{id}"), &[], None).await;
    assert_eq!(
        party.upload(Some(&party.guest), pictures::salted_jpeg(64, 64, 99), "a.jpg").await.status,
        201
    );
    stop(party.app).await;
}

#[tokio::test]
async fn a_gallery_is_paged_by_number_and_shows_others_only_what_is_ready() {
    let party = Party::new(true).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let made = party.upload(Some(&party.guest), pictures::salted_jpeg(64, 64, n + 1), "a.jpg").await;
        let id = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
        party.developed(&id).await;
        ids.push(id);
    }
    let list = format!("/api/v1/parties/{}/media", party.id);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = party.get(Some(&party.host), &format!("{list}?sort=oldest&limit=2{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.body["meta"]["seq"], 10, "two events for each");
        seen.extend(
            page.body["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|media| media["id"].as_str().unwrap().to_owned()),
        );
        match page.body["meta"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let newest = party.get(Some(&party.host), &format!("{list}?limit=1")).await;
    assert_eq!(newest.body["data"][0]["id"].as_str(), Some(ids[4].as_str()));
    let since = party.get(Some(&party.host), &format!("{list}?since=6")).await;
    assert_eq!(since.body["data"].as_array().unwrap().len(), 2);
    let etag = newest.headers["etag"].to_str().unwrap();
    let known = ask(
        &party.app,
        Some(&party.host),
        Method::GET,
        &format!("{list}?limit=1"),
        &[("if-none-match", etag)],
        None,
    )
    .await;
    assert_eq!(known.status, 304);

    let failed = party.stage.photo(party.id, &party.guest, "FAILED").await;
    let other = party.stage.guest(party.id).await;
    for (caller, visible) in [(&party.host, true), (&party.guest, true), (&other, false)] {
        let page = party.get(Some(caller), &format!("{list}?status=FAILED")).await;
        assert_eq!(page.body["data"].as_array().unwrap().len(), usize::from(visible), "{page:?}");
        let one = party.get(Some(caller), &format!("/api/v1/media/{failed}")).await;
        assert_eq!(one.status, if visible { 200 } else { 404 });
    }
    for query in [
        "sort=best",
        "status=LOST",
        "type=SMELL",
        "mood=x",
        "uploaderId=me",
        "since=-1",
        "limit=0",
        "cursor=x",
        "limit=1&limit=2",
    ] {
        let answer = party.get(Some(&party.host), &format!("{list}?{query}")).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("VALIDATION_ERROR")), "{query}");
    }
    stop(party.app).await;
}

#[tokio::test]
async fn only_who_brought_it_and_the_hosts_delete_a_media_and_its_files_go() {
    let party = Party::new(true).await;
    let made = party.upload(Some(&party.guest), pictures::jpeg(64, 64), "a.jpg").await;
    let id = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    party.developed(&id).await;
    eventually(DEADLINE, "three files are left", async || (party.stored(&id) == 3).then_some(())).await;
    let (path, other, stranger) =
        (format!("/api/v1/media/{id}"), party.stage.guest(party.id).await, party.stage.user().await);
    for (caller, expected) in [
        (Some(&other), 403),
        (Some(&stranger), 404),
        (None, 404),
        (Some(&party.host), 204),
        (Some(&party.host), 404),
    ] {
        let answer = ask(&party.app, caller, Method::DELETE, &path, &[], None).await;
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    eventually(DEADLINE, "the files are gone", async || {
        (party.stage.jobs().await == 0 && party.stored(&id) == 0).then_some(())
    })
    .await;
    let page = party.get(Some(&party.host), &format!("/api/v1/parties/{}", party.id)).await;
    assert_eq!(page.body["data"]["party"]["mediaCount"], 0);
    stop(party.app).await;
}

#[tokio::test]
async fn an_upload_that_stops_half_way_leaves_nothing() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let party = Party::new(true).await;
    let mut socket = tokio::net::TcpStream::connect(party.app.address()).await.unwrap();
    let head = format!(
        "POST /api/v1/parties/{}/media HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Length: 100000\r\n\
         Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n",
        party.id, party.guest.bearer
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&pictures::jpeg(64, 64)).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = Vec::new();
    _ = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut answer)).await;
    eventually(DEADLINE, "the staged file is gone", async || (party.stored("staging") == 0).then_some(()))
        .await;
    assert_eq!(party.kinds().await, []);
    stop(party.app).await;
}
