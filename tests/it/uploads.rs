//! Uploads: what is taken, what is refused, and what comes twice.

use std::time::Duration;

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::json;

use crate::support::{
    DEADLINE,
    client::Client,
    gathering::{Party, form, upload},
    pictures,
    poll::eventually,
    stage::{Reply, ask, stop},
};

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
        let answer = Client::new()
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
async fn lines_of_a_caption_end_in_a_form_as_browsers_end_them() {
    let party = Party::new(true).await;
    let form = form(pictures::jpeg(64, 64), "a.jpg").text("caption", "What a night!\r\nAnd what a cake.");
    let made = upload(&party.app, Some(&party.guest), party.id, form, &[]).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["data"]["media"]["caption"], "What a night!\nAnd what a cake.");
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
async fn a_partys_quota_holds_however_many_people_fill_it_at_once() {
    let file = |salt| pictures::salted_jpeg(64, 64, salt);
    let one_and_a_half = (file(1).len() * 3 / 2).to_string();
    let party = Party::with(true, &[("QUOTA_PARTY_BYTES", &one_and_a_half)]).await;
    let uploads = async {
        tokio::join!(
            party.upload(Some(&party.guest), file(1), "a.jpg"),
            party.upload(Some(&party.host), file(2), "a.jpg"),
        )
    };
    // Both have come as far as the party's row before either can count
    let both_wait = async || {
        eventually(DEADLINE, "both wait", async || party.stage.waiting().await == 2).await;
    };
    let ((one, other), ()) = tokio::join!(uploads, party.stage.working_on(party.id, both_wait));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let refused = if one.status == 409 { one } else { other };
    assert_eq!(refused.body["code"], "QUOTA_EXCEEDED");
    stop(party.app).await;
}

#[tokio::test]
async fn who_uploads_too_often_is_told_when_to_come_back() {
    // A pod that got no answer of Redis in 50 ms counts by itself, from the beginning: then it is asked anew
    let (party, answers) = eventually(3 * DEADLINE, "Redis answers in time", async || {
        let party = Party::with(true, &[("RATE_UPLOADS", "2/m")]).await;
        let mut answers = Vec::new();
        for n in 0..3 {
            let photo = pictures::salted_jpeg(64, 64, n + 1);
            answers.push(party.upload(Some(&party.guest), photo, "a.jpg").await);
        }
        let told = party.app.logs().lines();
        if told.iter().all(|line| line.message != "Rates are kept by this pod") {
            return Some((party, answers));
        }
        stop(party.app).await;
        None
    })
    .await;
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201, 201, 429]);
    let told = &answers[2];
    assert_eq!(told.body["code"], "RATE_LIMITED");
    let seconds: u64 = told.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    // Somebody else may
    assert_eq!(party.upload(Some(&party.host), pictures::jpeg(64, 64), "a.jpg").await.status, 201);
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

#[tokio::test]
async fn who_hangs_up_before_their_photo_is_entered_leaves_nothing() {
    use tokio::io::AsyncWriteExt as _;
    let party = Party::new(true).await;
    let file = pictures::jpeg(64, 64);
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n";
    let body = [head.as_bytes(), &file, b"\r\n--b--\r\n"].concat();
    let request = format!(
        "POST /api/v1/parties/{}/media HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\n\r\n",
        party.id,
        party.guest.bearer,
        body.len()
    );
    let hang_up = async || {
        let mut socket = tokio::net::TcpStream::connect(party.app.address()).await.unwrap();
        socket.write_all(&[request.as_bytes(), &body].concat()).await.unwrap();
        eventually(DEADLINE, "it waits to be entered", async || party.stage.waiting().await == 1).await;
        assert_eq!(party.stored(".original."), 1, "its bytes are safe by then");
        socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
        drop(socket);
        eventually(DEADLINE, "they are gone", async || party.stored(".original.") == 0).await;
    };
    party.stage.working_on(party.id, hang_up).await;
    assert_eq!(party.kinds().await, []);
    stop(party.app).await;
}
