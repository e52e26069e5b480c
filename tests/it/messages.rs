//! A message after it was said: who may edit it and how long, who takes it back, who has read how far.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    poll::eventually,
    screen::{Screen, brief, say},
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
};

fn path(party: Uuid, message: &Value) -> String {
    format!("/api/v1/parties/{party}/chat/messages/{}", message["id"].as_str().unwrap())
}

async fn edit(app: &TestApp, who: &Somebody, path: &str, body: Value) -> Reply {
    ask(app, Some(who), Method::PATCH, path, &[], Some(body)).await
}

async fn remove(app: &TestApp, who: &Somebody, path: &str) -> Reply {
    ask(app, Some(who), Method::DELETE, path, &[], None).await
}

#[tokio::test]
async fn a_message_is_edited_by_its_sender_for_a_quarter_of_an_hour() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let message = say(&app, &guest, party, "helo").await;
    let path = path(party, &message);
    let mut screen = Screen::of(&app, &host).await;
    screen.join(party).await;

    let edited = edit(&app, &guest, &path, json!({ "content": " hello " })).await;
    assert_eq!(edited.status, 200, "{:?}", edited.body);
    let shown = &edited.body["data"]["message"];
    assert!(shown["editedAt"].is_string());
    let mut expected = message.clone();
    expected["content"] = json!("hello");
    expected["editedAt"] = shown["editedAt"].clone();
    assert_eq!(*shown, expected, "all else stays");
    let told = screen.logged().await;
    assert_eq!(brief(&told), (2, "chat:message_updated".to_owned()));
    assert_eq!(told["data"], expected);
    let again = edit(&app, &guest, &path, json!({ "content": "hello" })).await;
    assert_eq!((again.status, &again.body["data"]["message"]), (200, shown), "it says that already");
    assert_eq!(stage.events(party).await.len(), 2, "and nobody is told");

    assert_eq!(edit(&app, &host, &path, json!({ "content": "no" })).await.status, 403, "not by the host");
    for (body, code) in [
        (json!({}), "REQUIRED"),
        (json!({ "content": " " }), "TOO_SHORT"),
        (json!({ "content": "x".repeat(2001) }), "TOO_LONG"),
        (json!({ "content": "a\u{7}" }), "INVALID_CHARACTERS"),
    ] {
        let answer = edit(&app, &guest, &path, body).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["code"]), (400, &json!(code)));
    }
    for (minutes, status) in [(14.9, 200), (15.1, 403)] {
        let age = "UPDATE messages SET created_at = now() - $1 * interval '1 minute'";
        stage.execute(age, &[&minutes]).await;
        let answer = edit(&app, &guest, &path, json!({ "content": minutes.to_string() })).await;
        assert_eq!(answer.status, status, "after {minutes} minutes: {:?}", answer.body);
    }
    let fresh = say(&app, &guest, party, "fresh").await;
    stage.execute("UPDATE parties SET status = 'CANCELLED'", &[]).await;
    let answer = edit(&app, &guest, &self::path(party, &fresh), json!({ "content": "x" })).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("INVALID_STATUS")));
    let taken_back = remove(&app, &guest, &self::path(party, &fresh)).await;
    assert_eq!(taken_back.status, 204, "one's own words can always be taken back");
    stop(app).await;
}

#[tokio::test]
async fn an_edit_may_go_on_only_while_the_words_are_as_they_were_seen() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let path = path(party, &say(&app, &guest, party, "helo").await);
    let edit = async |who: &Somebody, expected: &str, words: &str| {
        let body = json!({ "content": words });
        ask(&app, Some(who), Method::PATCH, &path, &[("if-match", expected)], Some(body)).await
    };
    let tag = |reply: &Reply| reply.headers["etag"].to_str().unwrap().to_owned();
    let first = edit(&guest, "*", "helo").await;
    assert_eq!(first.status, 200, "{first:?}");
    // A reaction is no edit
    let reaction = format!("{path}/reactions/🎉");
    assert_eq!(ask(&app, Some(&host), Method::PUT, &reaction, &[], None).await.status, 204);
    let second = edit(&guest, &tag(&first), "hello").await;
    assert_eq!(second.status, 200, "{second:?}");
    let late = edit(&guest, &tag(&first), "hallo").await;
    assert_eq!((late.status, &late.body["code"]), (412, &json!("PRECONDITION_FAILED")));
    assert_eq!(edit(&host, &tag(&first), "hallo").await.status, 403, "who may not is told so first");
    let bad = edit(&guest, &tag(&first), "").await;
    assert_eq!(bad.status, 412, "what is no longer so comes before what is wrong");
    let third = edit(&guest, "*", "three").await;
    let expected = tag(&third);
    let at_once = join_all(["four", "five", "six"].map(|words| edit(&guest, &expected, words))).await;
    let mut statuses: Vec<_> = at_once.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412], "one of many that saw the same");
    stop(app).await;
}

#[tokio::test]
async fn a_message_is_taken_back_once_and_leaves_a_tombstone() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let (own, others) = (say(&app, &guest, party, "mine").await, say(&app, &guest, party, "rude").await);
    let reaction = format!("{}/reactions/🎉", path(party, &own));
    assert_eq!(ask(&app, Some(&host), Method::PUT, &reaction, &[], None).await.status, 204);
    for (who, message) in [(&guest, &own), (&host, &others)] {
        let path = path(party, message);
        for answer in join_all((0..4).map(|_| remove(&app, who, &path))).await {
            assert_eq!(answer.status, 204, "{:?}", answer.body);
        }
        assert_eq!(edit(&app, &guest, &path, json!({ "content": "again" })).await.status, 404);
        let reaction = format!("{path}/reactions/🎉");
        assert_eq!(ask(&app, Some(&guest), Method::PUT, &reaction, &[], None).await.status, 404);
    }
    let page = format!("/api/v1/parties/{party}/chat/messages");
    let page = ask(&app, Some(&host), Method::GET, &page, &[], None).await;
    for shown in page.body["data"].as_array().unwrap() {
        assert_eq!((&shown["content"], &shown["reactions"]), (&json!(""), &json!({})));
        assert!(shown["deletedAt"].is_string());
        assert_eq!(shown["sender"]["id"], json!(guest.id));
    }
    let kept = "UPDATE messages SET seq = seq WHERE content <> ''";
    assert_eq!(stage.changed(kept, &[]).await, 0, "the words are gone");
    let mut screen = Screen::of(&app, &guest).await;
    let (events, answer) = screen.ask("party:join_live", json!({ "partyId": party, "since": 0 })).await;
    let told: Vec<_> = events.iter().filter(|event| event["seq"].is_number()).map(brief).collect();
    let removed = |seq| (seq, "chat:message_removed".to_owned());
    assert_eq!(told, (1..=5).map(removed).collect::<Vec<_>>(), "also what was said, and the reaction");
    assert_eq!(answer["data"]["seq"], 5, "each was told once");
    stop(app).await;
}

#[tokio::test]
async fn who_may_edit_take_back_react_and_mark() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let (private, public) = (stage.party(&host, "LIVE", true).await, stage.party(&host, "LIVE", false).await);
    let elsewhere = stage.party(&host, "LIVE", true).await;
    let mut cast = vec![("host", Some(host.clone()))];
    for (name, role, state, rsvp) in [
        ("cohost", "cohost", "in", "GOING"),
        ("going", "attendee", "in", "GOING"),
        ("maybe", "attendee", "in", "MAYBE"),
        ("not going", "attendee", "in", "NOT_GOING"),
        ("left", "attendee", "left", "GOING"),
        ("banned", "attendee", "banned", "GOING"),
    ] {
        let user = stage.user().await;
        for party in [private, public] {
            stage.place(party, &user, role, state, rsvp).await;
        }
        cast.push((name, Some(user)));
    }
    let foreign = stage.guest(elsewhere).await;
    cast.push(("foreign guest", Some(foreign)));
    cast.push(("display", Some(stage.display())));
    cast.push(("stranger", Some(stage.user().await)));
    cast.push(("anonymous", None));
    cast.push(("bad token", Some(Somebody { id: Uuid::nil(), bearer: "Bearer nonsense".to_owned() })));
    // host cohost going maybe not_going left banned foreign display stranger anonymous bad_token; own: up to banned
    for (party, own, others_edit, others_remove, talk) in [
        (private, "YYYYYY4", "333344444441", "YY3344444441", "YYY344444441"),
        (public, "YYYYYY3", "333333333311", "YY3333333311", "YYY333333311"),
    ] {
        let theirs = say(&app, &host, party, "others'").await;
        for (n, (name, caller)) in cast.iter().enumerate() {
            let caller = caller.as_ref();
            let expected = |row: &str| match row.chars().nth(n) {
                Some('Y') => 204,
                Some('4') => 404,
                Some('3') => 403,
                _ => 401,
            };
            let send = async |method: Method, path: &str, body: Value| {
                ask(&app, caller, method, path, &[], Some(body)).await.status
            };
            if let Some(sender) = caller.filter(|_| n < own.len()) {
                let id = Uuid::now_v7();
                let said = "INSERT INTO messages (id, party_id, sender_id, type, content) VALUES ($1, $2, $3, 'TEXT', 'own')";
                stage.execute(said, &[&id, &party, &sender.id]).await;
                let path = path(party, &json!({ "id": id }));
                let edited = send(Method::PATCH, &path, json!({ "content": "edited" })).await;
                let may = if expected(own) == 204 { 200 } else { expected(own) };
                assert_eq!(edited, may, "{name} edits their own in {party}");
                assert_eq!(
                    send(Method::DELETE, &path, json!({})).await,
                    expected(own),
                    "{name} takes it back"
                );
            }
            let path = path(party, &theirs);
            if name != &"host" {
                let edited = send(Method::PATCH, &path, json!({ "content": "edited" })).await;
                assert_eq!(edited, expected(others_edit), "{name} edits others'");
                let other = say(&app, &host, party, "others'").await;
                let removed = send(Method::DELETE, &self::path(party, &other), json!({})).await;
                assert_eq!(removed, expected(others_remove), "{name} takes others' back");
            }
            for method in [Method::PUT, Method::DELETE] {
                let reacted = send(method.clone(), &format!("{path}/reactions/👍"), json!({})).await;
                assert_eq!(reacted, expected(talk), "{name} reacts, {method}");
                // Who may not is told so, whatever it would have been
                let nothing = send(method, &format!("{path}/reactions/x"), json!({})).await;
                let may = if expected(talk) == 204 { 400 } else { expected(talk) };
                assert_eq!(nothing, may, "{name} reacts with no emoji");
            }
            let read = format!("/api/v1/parties/{party}/chat/read");
            let marked = send(Method::PUT, &read, json!({ "messageId": theirs["id"] })).await;
            assert_eq!(marked, expected(talk), "{name} has read");
            // What is not there is not there for those who may look, and hidden from all others as what is
            for id in [Uuid::now_v7().to_string(), "7".to_owned()] {
                let path = format!("/api/v1/parties/{party}/chat/messages/{id}");
                let may = if expected(talk) == 204 { 404 } else { expected(talk) };
                for (method, path) in [
                    (Method::PATCH, path.clone()),
                    (Method::DELETE, path.clone()),
                    (Method::PUT, format!("{path}/reactions/👍")),
                ] {
                    let body = json!({ "content": "edited" });
                    assert_eq!(send(method.clone(), &path, body).await, may, "{name} {method} nothing");
                }
            }
        }
        // Of another party it is nowhere
        let astray = path(elsewhere, &theirs);
        assert_eq!(remove(&app, &host, &astray).await.status, 404);
        assert_eq!(edit(&app, &host, &astray, json!({ "content": "x" })).await.status, 404);
    }
    stop(app).await;
}

#[tokio::test]
async fn who_has_read_further_stays_there() {
    let stage = Stage::new().await;
    let redis = fresh_redis().await;
    let (app, other) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let elsewhere = stage.party(&host, "LIVE", true).await;
    let mut messages = Vec::new();
    for n in 0..10 {
        messages.push(say(&app, &host, party, &n.to_string()).await);
    }
    let path = &format!("/api/v1/parties/{party}/chat/read");
    let marks = messages.iter().enumerate().map(|(n, message)| {
        let pod = if n.is_multiple_of(2) { &app } else { &other };
        let (host, body) = (&host, json!({ "messageId": message["id"] }));
        // Ten at once at two pods that have just begun: who is told to come back does
        eventually(DEADLINE, "the mark is set or refused", async move || {
            let body = Some(body.clone());
            let status = ask(pod, Some(host), Method::PUT, path, &[], body).await.status;
            (status != 503).then_some(status)
        })
    });
    assert!(join_all(marks).await.iter().all(|status| *status == 204));
    let at = async |seq: i64| {
        let there = "UPDATE chat_reads SET read_at = now() WHERE person_id = $1 AND seq = $2";
        stage.changed(there, &[&host.id, &seq]).await == 1
    };
    assert!(at(10).await);
    let body = json!({ "messageId": messages[3]["id"] });
    assert_eq!(ask(&app, Some(&host), Method::PUT, path, &[], Some(body)).await.status, 204);
    assert!(at(10).await);
    let astray = say(&app, &host, elsewhere, "elsewhere").await;
    for (id, code) in [
        (astray["id"].clone(), "UNKNOWN_MESSAGE"),
        (json!(Uuid::now_v7()), "UNKNOWN_MESSAGE"),
        (json!("7"), "INVALID_ID"),
        (json!(null), "INVALID_TYPE"),
    ] {
        let answer = ask(&app, Some(&host), Method::PUT, path, &[], Some(json!({ "messageId": id }))).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["code"]), (400, &json!(code)));
    }
    assert_eq!(stage.events(party).await.len(), 10, "it is nobody else's business");
    stop(app).await;
    stop(other).await;
}

#[tokio::test]
async fn edits_count_as_messages() {
    let stage = Stage::new().await;
    let app = stage.pod_with(&fresh_redis().await, &[("RATE_CHAT", "1/m burst 3")]).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let path = path(party, &say(&app, &host, party, "0").await);
    for n in 1..=2 {
        assert_eq!(edit(&app, &host, &path, json!({ "content": n.to_string() })).await.status, 200);
    }
    let fourth = edit(&app, &host, &path, json!({ "content": "3" })).await;
    assert_eq!((fourth.status, &fourth.body["code"]), (429, &json!("RATE_LIMITED")));
    assert_eq!(remove(&app, &host, &path).await.status, 204, "taking back does not");
    stop(app).await;
}

#[tokio::test]
async fn reactions_are_counted_exactly_and_told_in_order() {
    let stage = Stage::new().await;
    let redis = fresh_redis().await;
    let (app, other) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let message = say(&app, &host, party, "hello").await;
    let path = path(party, &message);
    let mut guests = Vec::new();
    for _ in 0..30 {
        guests.push(stage.guest(party).await);
    }
    let mut screen = Screen::of(&other, &guests[0]).await;
    screen.join(party).await;
    let react = async |n: usize, method: Method, emoji: &str| {
        let (pod, path) =
            (if n.is_multiple_of(2) { &app } else { &other }, format!("{path}/reactions/{emoji}"));
        // They wait for one row: on a crowded machine some are told that nothing was done, and come again
        eventually(DEADLINE, "it is done", async || {
            let answer = ask(pod, Some(&guests[n]), method.clone(), &path, &[], None).await;
            (answer.status != 503).then_some(answer.status)
        })
        .await
    };
    // Each twice at once, in both spellings
    let hearts = (0..60).map(|n| react(n / 2, Method::PUT, if n < 30 { "❤" } else { "❤\u{FE0F}" }));
    assert!(join_all(hearts).await.iter().all(|status| *status == 204));
    for (n, expected) in (1..=30).enumerate() {
        let event = screen.logged().await;
        assert_eq!(brief(&event), (i64::try_from(n).unwrap() + 2, "chat:reaction".to_owned()));
        let data =
            json!({ "partyId": party, "messageId": message["id"], "emoji": "❤\u{FE0F}", "count": expected });
        assert_eq!(event["data"], data);
    }
    let back = (0..20).map(|n| react(n / 2, Method::DELETE, "❤"));
    assert!(join_all(back).await.iter().all(|status| *status == 204));
    assert_eq!(screen.logged_up_to(41).await.len(), 10, "each once");

    // All at once, each with another one: twenty find room
    let many: Vec<_> = ('\u{1F600}'..='\u{1F61D}').map(String::from).collect();
    let sent = many.iter().enumerate().map(|(n, emoji)| react(n, Method::PUT, emoji));
    let outcomes = join_all(sent).await;
    assert_eq!(outcomes.iter().filter(|status| **status == 204).count(), 19, "{outcomes:?}");
    assert!(outcomes.iter().all(|status| matches!(status, 204 | 409)));
    assert_eq!(react(29, Method::PUT, "❤").await, 204, "what is there takes more");

    let page = format!("/api/v1/parties/{party}/chat/messages");
    let page = ask(&app, Some(&host), Method::GET, &page, &[], None).await;
    let reactions = &page.body["data"][0]["reactions"];
    assert_eq!(reactions.as_object().unwrap().len(), 20);
    assert_eq!(reactions["❤\u{FE0F}"], 20);
    let (_, history) = screen.ask("chat:join", json!({ "partyId": party })).await;
    assert_eq!(history["data"]["messages"][0]["reactions"], *reactions);
    let edited = edit(&app, &host, &path, json!({ "content": "bye" })).await;
    assert_eq!(edited.body["data"]["message"]["reactions"], *reactions);
    for emoji in ["x", "🎉🎉", "%FF", "1"] {
        let answer =
            ask(&app, Some(&host), Method::PUT, &format!("{path}/reactions/{emoji}"), &[], None).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["code"]), (400, &json!("INVALID_EMOJI")));
    }
    stage.execute("UPDATE parties SET status = 'CANCELLED'", &[]).await;
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(react(29, method, "❤").await, 409);
    }
    stop(app).await;
    stop(other).await;
}
