//! Photos, from a guest's phone to whoever may see them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    client::Client,
    gathering::{Party, form, path_of, upload},
    pictures::{self, CORNERS, PLACE},
    poll::eventually,
    stage::{ask, stop},
};

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
async fn an_original_that_outlived_its_photos_development_goes_with_the_next_attempt() {
    let party = Party::new(true).await;
    let mut half = pictures::noise(1200, 900);
    half.truncate(half.len() / 2);
    for (file, status) in [(pictures::jpeg(64, 64), "READY"), (half, "FAILED")] {
        let made = party.upload(Some(&party.guest), file, "a.jpg").await;
        let id = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
        assert_eq!(party.developed(&id).await["status"], status);
        eventually(DEADLINE, "the job is done", async || party.stage.jobs().await == 0).await;
        // What is left of an attempt that ended between its last two steps
        let original = party.storage.join(format!("originals/{}.original.{id}.1", party.id));
        assert!(!original.exists(), "{}", original.display());
        std::fs::write(&original, "where it was taken").unwrap();
        party
            .stage
            .execute("INSERT INTO jobs (kind, payload) VALUES ('develop', $1)", &[&json!({ "media": id })])
            .await;
        eventually(DEADLINE, "the job is done", async || party.stage.jobs().await == 0).await;
        assert!(!original.exists(), "{status}");
    }
    stop(party.app).await;
}

#[tokio::test]
async fn a_party_that_turns_private_kills_the_links_of_when_it_was_private_before() {
    let party = Party::new(true).await;
    let made = party.upload(Some(&party.guest), pictures::jpeg(64, 64), "a.jpg").await;
    let id = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    let before = path_of(&party.developed(&id).await["urls"]["file"]);
    let turn = async |is_private: bool| {
        let (path, body) = (format!("/api/v1/parties/{}", party.id), json!({ "isPrivate": is_private }));
        let edited = ask(&party.app, Some(&party.host), Method::PATCH, &path, &[], Some(body)).await;
        assert_eq!(edited.status, 200, "{edited:?}");
        path_of(&party.developed(&id).await["urls"]["file"])
    };
    let public = turn(false).await;
    for link in [&before, &public] {
        assert_eq!(party.bytes(None, link, &[]).await.status(), 200, "{link}");
    }
    let after = turn(true).await;
    for (link, status) in [(&before, 404), (&public, 404), (&after, 200)] {
        assert_eq!(party.bytes(None, link, &[]).await.status(), status, "{link}");
    }
    // Other edits leave links as they are
    assert_eq!(turn(true).await, after);
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
    // Only what is got comes in parts
    for range in ["", "bytes=10-19", "bytes=99999999-"] {
        let head = Client::new().head(party.app.url(&path)).header("range", range);
        let head = head.send().await.unwrap();
        assert_eq!(
            (head.status().as_u16(), &head.headers()["content-length"]),
            (200, &length.to_string().parse().unwrap()),
            "{range}"
        );
        assert_eq!(head.headers()["etag"], etag);
    }
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
    // Looks are counted a second later, and make another page of it
    eventually(DEADLINE, "the page is known", async || {
        let newest = party.get(Some(&party.host), &format!("{list}?limit=1")).await;
        let known = [("if-none-match", newest.headers["etag"].to_str().unwrap())];
        let again =
            ask(&party.app, Some(&party.host), Method::GET, &format!("{list}?limit=1"), &known, None).await;
        again.status == 304
    })
    .await;

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
        // What cannot be read as a query at all is told before it is known what it is about
        let expected = if query.contains('&') { 400 } else { 404 };
        let stranger = party.stage.user().await;
        for who in [Some(&stranger), None] {
            let answer = party.get(who, &format!("{list}?{query}")).await;
            assert_eq!(answer.status, expected, "who may not know of the party is told so first: {query}");
        }
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
