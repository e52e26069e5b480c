//! A party's chat over REST: who may read and say what, and when.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client::Client,
    poll::eventually,
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
};

fn path(party: Uuid) -> String {
    format!("/api/v1/parties/{party}/chat/messages")
}

async fn say(app: &TestApp, who: &Somebody, party: Uuid, body: Value) -> Reply {
    ask(app, Some(who), Method::POST, &path(party), &[], Some(body)).await
}

async fn read(app: &TestApp, who: &Somebody, party: Uuid, query: &str) -> Reply {
    ask(app, Some(who), Method::GET, &format!("{}{query}", path(party)), &[], None).await
}

fn contents(reply: &Reply) -> Vec<&str> {
    reply.body["data"].as_array().unwrap().iter().map(|said| said["content"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_said_is_read_by_those_who_take_part_newest_first() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let empty = read(&app, &host, party, "").await;
    assert_eq!((empty.status, &empty.body["data"], &empty.body["meta"]["seq"]), (200, &json!([]), &json!(0)));

    let first = say(&app, &host, party, json!({ "content": " Hello\n🎉 " })).await;
    assert_eq!(first.status, 201, "{:?}", first.body);
    let message = &first.body["data"]["message"];
    let id = message["id"].as_str().unwrap();
    assert_eq!(first.headers["location"], format!("{}/{id}", path(party)));
    let reply = json!({ "content": "Hi", "replyToId": id, "type": "TEXT" });
    let second = say(&app, &guest, party, reply).await;
    assert_eq!(second.status, 201, "{:?}", second.body);

    let page = read(&app, &guest, party, "").await;
    assert_eq!(contents(&page), ["Hi", "Hello\n🎉"]);
    assert_eq!(page.body["data"][1], *message, "a page shows what the answer showed");
    assert_eq!(page.body["meta"], json!({ "limit": 20, "nextCursor": null, "hasMore": false, "seq": 2 }));
    let said = &page.body["data"][0];
    assert_eq!(said["replyToId"], json!(id));
    assert_eq!(said["seq"], 2);
    assert_eq!(said["sender"]["isGuest"], true);
    assert_eq!(said["sender"]["id"], json!(guest.id));
    assert_eq!((&said["media"], &said["reactions"]), (&json!(null), &json!({})));
    for absent in ["accessCode", "joinUrl", "viewer", "email", "clientId"] {
        assert!(!page.body.to_string().contains(absent), "{absent}");
    }
    let etag = page.headers["etag"].to_str().unwrap();
    let again = ask(&app, Some(&host), Method::GET, &path(party), &[("if-none-match", etag)], None).await;
    assert_eq!(again.status, 304);
    stop(app).await;
}

#[tokio::test]
async fn who_may_read_and_say() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let (private, public) = (stage.party(&host, "LIVE", true).await, stage.party(&host, "LIVE", false).await);
    let elsewhere = stage.party(&host, "LIVE", true).await;
    let draft = stage.party(&host, "DRAFT", false).await;

    let mut callers = vec![(Some(host.clone()), 200, 200)];
    for (role, state, rsvp, in_private, in_public) in [
        ("cohost", "in", "GOING", 200, 200),
        ("attendee", "in", "GOING", 200, 200),
        ("attendee", "in", "MAYBE", 403, 403),
        ("attendee", "in", "NOT_GOING", 404, 403),
        ("attendee", "left", "GOING", 404, 403),
        ("attendee", "removed", "GOING", 404, 403),
        ("attendee", "banned", "GOING", 404, 403),
    ] {
        let user = stage.user().await;
        for party in [private, public] {
            stage.place(party, &user, role, state, rsvp).await;
        }
        callers.push((Some(user), in_private, in_public));
    }
    callers.push((Some(stage.user().await), 404, 403));
    callers.push((Some(stage.guest(elsewhere).await), 404, 403));
    callers.push((Some(stage.display()), 404, 403));
    callers.push((None, 404, 401));
    callers.push((Some(Somebody { id: Uuid::nil(), bearer: "Bearer nonsense".to_owned() }), 401, 401));

    for (caller, in_private, in_public) in &callers {
        for (party, expected) in [(private, *in_private), (public, *in_public)] {
            let read = ask(&app, caller.as_ref(), Method::GET, &path(party), &[], None).await;
            assert_eq!(read.status, expected, "{caller:?} reads {:?}", read.body);
            let body = Some(json!({ "content": "hi" }));
            let said = ask(&app, caller.as_ref(), Method::POST, &path(party), &[], body).await;
            let expected = if expected == 200 { 201 } else { expected };
            assert_eq!(said.status, expected, "{caller:?} says {:?}", said.body);
            // Who may not is told so, whatever they would have said
            let nothing = ask(&app, caller.as_ref(), Method::POST, &path(party), &[], Some(json!({}))).await;
            let expected = if expected == 201 { 400 } else { expected };
            assert_eq!(nothing.status, expected, "{caller:?} says nothing {:?}", nothing.body);
        }
        let unknown = ask(&app, caller.as_ref(), Method::GET, &path(Uuid::now_v7()), &[], None).await;
        assert_eq!(unknown.status, if *in_public == 401 && *in_private == 401 { 401 } else { 404 });
    }
    let guest = stage.guest(private).await;
    assert_eq!(read(&app, &guest, private, "").await.status, 200);
    assert_eq!(read(&app, &guest, public, "").await.status, 403, "elsewhere a guest is nobody");
    for (caller, status) in [(&host, 200), (&guest, 404)] {
        assert_eq!(read(&app, caller, draft, "").await.status, status, "a draft");
    }
    stop(app).await;
}

#[tokio::test]
async fn the_party_s_status_says_when_there_is_talk() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    for (status, ended_days_ago, host_may, guest_may) in [
        ("DRAFT", None, false, None),
        ("PLANNED", None, true, Some(false)),
        ("LIVE", None, true, Some(true)),
        ("ENDED", Some(6.99), true, Some(true)),
        ("ENDED", Some(7.01), false, Some(false)),
        ("CANCELLED", None, false, Some(false)),
    ] {
        let party = stage.party(&host, status, true).await;
        if let Some(days) = ended_days_ago {
            let ended = "UPDATE parties SET ended_at = now() - $2 * interval '1 day' WHERE id = $1";
            stage.execute(ended, &[&party, &days]).await;
        }
        let guest = stage.guest(party).await;
        for (caller, may) in [(&host, Some(host_may)), (&guest, guest_may)] {
            let said = say(&app, caller, party, json!({ "content": "hi" })).await;
            let expected = match may {
                Some(true) => (201, json!(null)),
                Some(false) => (409, json!("INVALID_STATUS")),
                None => (404, json!("NOT_FOUND")),
            };
            assert_eq!((said.status, said.body["code"].clone()), expected, "{status} {ended_days_ago:?}");
            let read = read(&app, caller, party, "").await;
            assert_eq!(read.status, if may.is_some() { 200 } else { 404 }, "reading stays");
        }
    }
    stop(app).await;
}

#[tokio::test]
async fn a_resend_is_harmless() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;

    let sends = (0..12).map(|_| say(&app, &host, party, json!({ "content": "once", "clientId": "a" })));
    let answers = join_all(sends).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1, "{answers:?}");
    let first = &answers.iter().find(|answer| answer.status == 201).unwrap().body["data"];
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        assert_eq!(answer.body["data"], *first);
    }
    let other = say(&app, &guest, party, json!({ "content": "mine", "clientId": "a" })).await;
    assert_eq!(other.status, 201, "somebody else's name for a message is theirs");

    let key = [("idempotency-key", "k-1")];
    let body = json!({ "content": "twice" });
    let one = ask(&app, Some(&host), Method::POST, &path(party), &key, Some(body.clone())).await;
    let two = ask(&app, Some(&host), Method::POST, &path(party), &key, Some(body)).await;
    assert_eq!((one.status, two.status), (201, 201));
    assert_eq!((&one.body, &two.headers["idempotency-replayed"]), (&two.body, &"true".parse().unwrap()));
    assert!(!one.headers.contains_key("idempotency-replayed"));
    let body = Some(json!({ "content": "else" }));
    let mismatch = ask(&app, Some(&host), Method::POST, &path(party), &key, body).await;
    assert_eq!((mismatch.status, &mismatch.body["code"]), (422, &json!("IDEMPOTENCY_MISMATCH")));

    let page = read(&app, &host, party, "").await;
    assert_eq!(contents(&page), ["twice", "mine", "once"]);
    assert_eq!(page.body["meta"]["seq"], 3, "nothing was logged twice");
    stop(app).await;
}

#[tokio::test]
async fn a_resend_is_known_although_what_it_shows_is_gone() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let photo = stage.shown(party, &guest).await;
    let body = json!({ "content": "look", "clientId": "a", "mediaId": photo });
    let first = say(&app, &guest, party, body.clone()).await;
    assert_eq!(first.status, 201, "{first:?}");
    for change in [
        "UPDATE media SET status = 'HIDDEN' WHERE id = $1",
        "DELETE FROM media WHERE id = $1",
        "UPDATE parties SET status = 'CANCELLED' WHERE id <> $1",
    ] {
        stage.execute(change, &[&photo]).await;
        let again = say(&app, &guest, party, body.clone()).await;
        let message = |reply: &Reply| reply.body["data"]["message"]["id"].clone();
        assert_eq!((again.status, message(&again)), (200, message(&first)), "{change}: {again:?}");
    }
    let mut other = body;
    other["clientId"] = json!("b");
    let answer = say(&app, &guest, party, other).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("INVALID_STATUS")), "no resend");
    stop(app).await;
}

#[tokio::test]
async fn no_message_comes_twice_or_is_skipped_while_others_are_said() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    for n in 1..=10 {
        assert_eq!(say(&app, &host, party, json!({ "content": n.to_string() })).await.status, 201);
    }
    let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
    loop {
        let page = read(&app, &host, party, &query).await;
        assert_eq!(page.status, 200, "{:?}", page.body);
        seen.extend(contents(&page).into_iter().map(str::to_owned));
        assert_eq!(say(&app, &host, party, json!({ "content": "meanwhile" })).await.status, 201);
        let meta = &page.body["meta"];
        assert_eq!(meta["hasMore"].as_bool().unwrap(), meta["nextCursor"].is_string());
        match meta["nextCursor"].as_str() {
            Some(cursor) => query = format!("?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=10).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    stop(app).await;
}

#[tokio::test]
async fn each_bad_input_has_its_own_problem() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let elsewhere = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let theirs = say(&app, &host, elsewhere, json!({ "content": "elsewhere" })).await;
    let theirs = &theirs.body["data"]["message"]["id"];
    let (hidden, pending) =
        (stage.photo(party, &host, "HIDDEN").await, stage.photo(party, &guest, "PROCESSING").await);
    let abroad = stage.photo(elsewhere, &host, "READY").await;

    for (body, field, code) in [
        (json!({}), "content", "REQUIRED"),
        (json!({ "content": " " }), "content", "TOO_SHORT"),
        (json!({ "content": "x".repeat(2001) }), "content", "TOO_LONG"),
        (json!({ "content": "a\u{7}" }), "content", "INVALID_CHARACTERS"),
        (json!({ "content": "x", "type": "SYSTEM" }), "type", "NOT_ALLOWED"),
        (json!({ "content": "x", "replyToId": Uuid::now_v7() }), "replyToId", "UNKNOWN_MESSAGE"),
        (json!({ "content": "x", "replyToId": theirs }), "replyToId", "UNKNOWN_MESSAGE"),
        (json!({ "content": "x", "mediaId": Uuid::now_v7() }), "mediaId", "UNKNOWN_MEDIA"),
        (json!({ "content": "x", "mediaId": hidden }), "mediaId", "UNKNOWN_MEDIA"),
        (json!({ "content": "x", "mediaId": abroad }), "mediaId", "UNKNOWN_MEDIA"),
        (json!({ "content": "x", "mediaId": pending }), "mediaId", "UNKNOWN_MEDIA"),
    ] {
        let answer = say(&app, &host, party, body.clone()).await;
        let told = (answer.status, &answer.body["errors"][0]["path"], &answer.body["errors"][0]["code"]);
        assert_eq!(told, (400, &json!(field), &json!(code)), "{body}");
        assert_eq!(answer.body["code"], "VALIDATION_ERROR");
    }
    for query in ["?limit=0", "?limit=101", "?limit=x", "?cursor=x", "?limit=1&limit=2"] {
        assert_eq!(read(&app, &host, party, query).await.status, 400, "{query}");
    }
    for (body, status, code) in [
        ("{", 400, "MALFORMED_BODY"),
        ("[]", 400, "MALFORMED_BODY"),
        (&format!(r#"{{"content":"{}"}}"#, "x".repeat(300_000)), 413, "PAYLOAD_TOO_LARGE"),
    ] {
        let answer = Client::new()
            .post(app.url(&path(party)))
            .header("authorization", &host.bearer)
            .header("content-type", "application/json")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
    }
    let strange = ask(&app, Some(&host), Method::GET, "/api/v1/parties/7/chat/messages", &[], None).await;
    assert_eq!((strange.status, &strange.body["code"]), (404, &json!("NOT_FOUND")));
    let deleted = ask(&app, Some(&host), Method::DELETE, &path(party), &[], None).await;
    assert_eq!((deleted.status, &deleted.body["code"]), (405, &json!("METHOD_NOT_ALLOWED")));

    let own = say(&app, &guest, party, json!({ "content": "", "mediaId": pending })).await;
    assert_eq!(own.status, 201, "{:?}", own.body);
    let message = &own.body["data"]["message"];
    assert_eq!(message["type"], "IMAGE", "a photo without words is an image");
    assert_eq!((&message["media"]["id"], &message["media"]["urls"]), (&json!(pending), &json!(null)));
    stage.execute("UPDATE media SET status = 'FAILED' WHERE id = $1", &[&pending]).await;
    assert_eq!(read(&app, &host, party, "").await.body["data"][0]["media"], json!(null));
    stop(app).await;
}

#[tokio::test]
async fn forty_at_once_are_numbered_without_a_gap() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut guests = Vec::new();
    for _ in 0..8 {
        guests.push(stage.guest(party).await);
    }
    let (app_at, guests_in) = (&app, &guests);
    let sends = (0..40).map(|n| async move {
        let words = json!({ "content": n.to_string() });
        // They wait for one row: on a crowded machine some are told that nothing was done, and come again
        eventually(DEADLINE, "it is said", async || {
            let answer = say(app_at, &guests_in[n % 8], party, words.clone()).await;
            (answer.status != 503).then_some(answer)
        })
        .await
    });
    let answers = join_all(sends).await;
    let numbers: BTreeSet<i64> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 201, "{:?}", answer.body);
            answer.body["data"]["message"]["seq"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(numbers, (1..=40).collect());
    let page = read(&app, &host, party, "?limit=100").await;
    let listed: Vec<_> =
        page.body["data"].as_array().unwrap().iter().map(|said| said["seq"].clone()).collect();
    assert_eq!(listed, (1..=40).rev().map(|n| json!(n)).collect::<Vec<_>>());
    stop(app).await;
}

#[tokio::test]
async fn nobody_talks_faster_than_others_can_read() {
    let stage = Stage::new().await;
    let app = stage.pod_with(&fresh_redis().await, &[("RATE_CHAT", "1/m burst 3")]).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    for _ in 0..3 {
        assert_eq!(say(&app, &host, party, json!({ "content": "fast" })).await.status, 201);
    }
    let fourth = say(&app, &host, party, json!({ "content": "too fast" })).await;
    assert_eq!((fourth.status, &fourth.body["code"]), (429, &json!("RATE_LIMITED")));
    let wait: u64 = fourth.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(say(&app, &guest, party, json!({ "content": "calm" })).await.status, 201, "a limit each");
    assert_eq!(read(&app, &host, party, "").await.status, 200, "reading is another matter");
    stop(app).await;
}
