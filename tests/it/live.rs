//! A party's stream on sockets: what is logged arrives complete, in order and once, on every pod, whatever dies.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::{TestApp, Victim},
    gathering::Party,
    own::OwnRedis,
    pictures,
    poll::eventually,
    servers::fresh_redis,
    stage::{Somebody, Stage, ask, stop},
    ws::{Received, WsClient},
};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(750);

/// A screen: a socket that answers questions and collects what is logged.
struct Screen {
    socket: WsClient,
    asked: u64,
}

impl Screen {
    async fn of(app: &TestApp, somebody: &Somebody) -> Self {
        let headers = [("authorization", somebody.bearer.as_str())];
        Self { socket: WsClient::connect(app.address(), "/ws", &headers).await.unwrap(), asked: 0 }
    }

    /// Asks for something. Gives the events that came before the answer, and the answer.
    async fn ask(&mut self, event: &str, data: Value) -> (Vec<Value>, Value) {
        self.asked += 1;
        self.socket.send_json(&json!({ "id": self.asked, "event": event, "data": data })).await;
        let mut events = Vec::new();
        loop {
            let frame = self.frame().await;
            if frame["ack"] == self.asked {
                return (events, frame);
            }
            events.push(frame);
        }
    }

    async fn join(&mut self, party: Uuid) -> Value {
        let (events, answer) = self.ask("party:join_live", json!({ "partyId": party })).await;
        assert!(
            events.iter().all(|event| event["seq"].is_null()),
            "nothing logged was asked for: {events:?}"
        );
        assert_eq!(answer["error"], json!(null));
        answer["data"].clone()
    }

    async fn refused(&mut self, event: &str, data: Value) -> String {
        let (_, answer) = self.ask(event, data).await;
        assert_eq!(answer["data"], json!(null), "{answer}");
        answer["error"]["code"].as_str().unwrap().to_owned()
    }

    /// The next logged event.
    async fn logged(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["seq"].is_number() {
                return frame;
            }
        }
    }

    /// The logged events up to number `seq`, by number and name.
    async fn logged_up_to(&mut self, seq: i64) -> Vec<(i64, String)> {
        let mut events = Vec::new();
        while events.last().is_none_or(|(last, _)| *last < seq) {
            events.push(brief(&self.logged().await));
        }
        events
    }

    async fn frame(&mut self) -> Value {
        match self.socket.next(DEADLINE).await {
            Received::Json(frame) => frame,
            other => panic!("a frame is expected, not {other:?}"),
        }
    }

    /// Whatever has come up to now is through when this is: a question that is answered at once.
    async fn settled(&mut self) -> Vec<Value> {
        self.ask("ping", json!(null)).await.0
    }
}

fn brief(event: &Value) -> (i64, String) {
    (event["seq"].as_i64().unwrap(), event["event"].as_str().unwrap().to_owned())
}

async fn say(app: &TestApp, who: &Somebody, party: Uuid, content: &str) -> Value {
    let path = format!("/api/v1/parties/{party}/chat/messages");
    let said = ask(app, Some(who), Method::POST, &path, &[], Some(json!({ "content": content }))).await;
    assert_eq!(said.status, 201, "{:?}", said.body);
    said.body["data"]["message"].clone()
}

#[tokio::test]
async fn what_is_said_on_one_pod_is_seen_on_another() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let mut screen = Screen::of(&there, &guest).await;
    let joined = screen.join(party).await;
    assert_eq!(
        (&joined["partyId"], &joined["seq"], &joined["replayed"], &joined["viewerCount"]),
        (&json!(party), &json!(0), &json!(0), &json!(1))
    );

    let message = say(&here, &host, party, "hello").await;
    let event = screen.logged().await;
    let expected = json!({ "event": "chat:new_message", "data": message, "partyId": party, "seq": 1 });
    assert_eq!(event, expected, "the Message of REST");
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn who_comes_back_gets_exactly_what_was_missed_on_any_pod() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let mut screen = Screen::of(&here, &guest).await;
    let epoch = screen.join(party).await["epoch"].clone();
    for n in 1..=3 {
        say(&here, &host, party, &n.to_string()).await;
    }
    assert_eq!(screen.logged_up_to(3).await.len(), 3);
    drop(screen);
    // More than a page of the log
    for n in 4..=12 {
        say(&there, &host, party, &n.to_string()).await;
    }
    for _ in 13..=600 {
        stage.log(party, "party:status_changed", party, &json!({ "status": "LIVE" })).await;
    }

    let mut screen = Screen::of(&there, &guest).await;
    let resume = json!({ "partyId": party, "since": 3, "epoch": epoch });
    let (missed, answer) = screen.ask("party:join_live", resume).await;
    let missed: Vec<_> = missed.iter().filter(|event| event["seq"].is_number()).map(|e| brief(e).0).collect();
    assert_eq!(missed, (4..=600).collect::<Vec<_>>());
    let data = &answer["data"];
    assert_eq!((&data["seq"], &data["replayed"], &data["epoch"]), (&json!(600), &json!(597), &epoch));
    say(&here, &host, party, "live").await;
    assert_eq!(brief(&screen.logged().await), (601, "chat:new_message".to_owned()));

    // The whole log
    let mut whole = Screen::of(&here, &host).await;
    let (events, _) = whole.ask("party:join_live", json!({ "partyId": party, "since": 0 })).await;
    let numbers: Vec<_> =
        events.iter().filter(|event| event["seq"].is_number()).map(|e| brief(e).0).collect();
    assert_eq!(numbers, (1..=601).collect::<Vec<_>>());
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn what_cannot_be_resumed_has_to_be_read_anew() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut screen = Screen::of(&app, &host).await;
    for n in 1..=5 {
        say(&app, &host, party, &n.to_string()).await;
    }
    let epoch = screen.join(party).await["epoch"].clone();
    let resume = |since: i64, epoch: &Value| json!({ "partyId": party, "since": since, "epoch": epoch });
    assert_eq!(screen.refused("party:join_live", resume(6, &epoch)).await, "RESYNC", "beyond the log");
    let other = json!(Uuid::new_v4());
    assert_eq!(screen.refused("party:join_live", resume(5, &other)).await, "RESYNC", "another history");
    stage.execute("DELETE FROM events WHERE party_id = $1 AND seq <= 2", &[&party]).await;
    assert_eq!(screen.refused("party:join_live", resume(1, &epoch)).await, "RESYNC", "kept no longer");
    assert_eq!(screen.refused("party:join_live", resume(0, &epoch)).await, "RESYNC", "not whole any more");
    let (events, answer) = screen.ask("party:join_live", resume(2, &epoch)).await;
    let numbers: Vec<_> =
        events.iter().filter(|event| event["seq"].is_number()).map(|e| brief(e).0).collect();
    assert_eq!((numbers, &answer["data"]["seq"]), (vec![3, 4, 5], &json!(5)));
    for data in [json!({}), json!({ "partyId": "x" }), json!({ "partyId": party, "since": -1 }), json!(7)] {
        assert_eq!(screen.refused("party:join_live", data).await, "VALIDATION_ERROR");
    }
    stop(app).await;
}

#[tokio::test]
async fn who_is_let_into_which_room() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let (private, public) = (stage.party(&host, "LIVE", true).await, stage.party(&host, "LIVE", false).await);
    let elsewhere = stage.party(&host, "LIVE", true).await;
    let mut callers = vec![("host", host.clone(), "ok", "ok", "ok", "ok")];
    for (name, state, rsvp, live, chat, public_chat) in [
        ("going", "in", "GOING", "ok", "ok", "ok"),
        ("maybe", "in", "MAYBE", "ok", "FORBIDDEN", "FORBIDDEN"),
        ("not going", "in", "NOT_GOING", "NOT_FOUND", "NOT_FOUND", "FORBIDDEN"),
        ("left", "left", "GOING", "NOT_FOUND", "NOT_FOUND", "FORBIDDEN"),
        ("banned", "banned", "GOING", "NOT_FOUND", "NOT_FOUND", "FORBIDDEN"),
    ] {
        let user = stage.user().await;
        for party in [private, public] {
            stage.place(party, &user, "attendee", state, rsvp).await;
        }
        callers.push((name, user, live, chat, "ok", public_chat));
    }
    callers.push(("stranger", stage.user().await, "NOT_FOUND", "NOT_FOUND", "ok", "FORBIDDEN"));
    callers.push(("guest", stage.guest(elsewhere).await, "NOT_FOUND", "NOT_FOUND", "ok", "FORBIDDEN"));
    for (name, caller, live, chat, public_live, public_chat) in callers {
        let mut screen = Screen::of(&app, &caller).await;
        for (party, event, expected) in [
            (private, "party:join_live", live),
            (private, "chat:join", chat),
            (public, "party:join_live", public_live),
            (public, "chat:join", public_chat),
            (Uuid::now_v7(), "party:join_live", "NOT_FOUND"),
            (Uuid::now_v7(), "chat:join", "NOT_FOUND"),
        ] {
            let (_, answer) = screen.ask(event, json!({ "partyId": party })).await;
            let code = answer["error"]["code"].as_str().unwrap_or("ok");
            assert_eq!(code, expected, "{name}: {event} of {party}: {answer}");
        }
        let message = json!({ "partyId": private, "content": "hi" });
        let (_, answer) = screen.ask("chat:message", message).await;
        assert_eq!(answer["error"]["code"].as_str().unwrap_or("ok"), chat, "{name} says something");
    }
    stop(app).await;
}

#[tokio::test]
async fn who_only_reads_a_public_party_hears_no_word_of_its_chat() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let maybe = stage.user().await;
    stage.place(party, &maybe, "attendee", "in", "MAYBE").await;
    let mut readers = [Screen::of(&app, &stage.user().await).await, Screen::of(&app, &maybe).await];
    let mut attendee = Screen::of(&app, &host).await;
    for screen in readers.iter_mut().chain([&mut attendee]) {
        screen.join(party).await;
    }
    say(&app, &host, party, "among us").await;
    let status = json!({ "status": "LIVE" });
    stage.log(party, "party:comment_added", Uuid::now_v7(), &json!({ "mediaId": Uuid::now_v7() })).await;
    stage.log(party, "party:status_changed", party, &status).await;
    say(&app, &host, party, "again").await;
    stage.log(party, "party:status_changed", party, &status).await;
    for screen in &mut readers {
        let heard = screen.logged_up_to(5).await;
        let expected = [(3, "party:status_changed".to_owned()), (5, "party:status_changed".to_owned())];
        assert_eq!(heard, expected, "their numbers have holes");
    }
    let heard: Vec<_> = attendee.logged_up_to(5).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(heard, [1, 2, 3, 4, 5]);
    stop(app).await;
}

#[tokio::test]
async fn a_chat_has_its_history_and_every_word_once() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    for n in 1..=52 {
        // In turns: one alone would be told to slow down
        say(&here, if n % 2 == 0 { &host } else { &guest }, party, &n.to_string()).await;
    }
    let mut both = Screen::of(&here, &host).await;
    both.join(party).await;
    let (_, history) = both.ask("chat:join", json!({ "partyId": party })).await;
    let messages = history["data"]["messages"].as_array().unwrap();
    assert_eq!((messages.len(), &messages[0]["content"]), (50, &json!("52")), "the newest first, as in REST");
    assert_eq!(history["data"]["seq"], 52);
    let event = both.frame().await;
    assert_eq!(event["event"], "chat:history");
    assert_eq!((&event["data"]["messages"], &event["data"]["partyId"]), (&json!(messages), &json!(party)));

    let mut talker = Screen::of(&there, &guest).await;
    talker.ask("chat:join", json!({ "partyId": party })).await;
    stage.log(party, "party:status_changed", party, &json!({ "status": "LIVE" })).await;
    let words = json!({ "partyId": party, "content": "over the socket", "clientId": "c-1" });
    let (_, answer) = talker.ask("chat:message", words.clone()).await;
    let message = &answer["data"]["message"];
    assert_eq!((&message["content"], &message["seq"]), (&json!("over the socket"), &json!(54)));
    let (_, again) = talker.ask("chat:message", words).await;
    assert_eq!(again["data"]["message"], *message, "a resend is harmless");
    say(&here, &host, party, "last").await;
    let heard = both.logged_up_to(55).await;
    assert_eq!(heard.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [53, 54, 55], "once, in both rooms");
    for data in [
        json!({ "partyId": party, "content": "" }),
        json!({ "partyId": party, "content": "x".repeat(2001) }),
        json!({ "partyId": party, "content": "x", "type": "SYSTEM" }),
        json!({ "partyId": party, "content": "x", "mediaId": Uuid::now_v7() }),
        json!({ "partyId": party, "content": 7 }),
        json!({ "content": "x" }),
    ] {
        assert_eq!(talker.refused("chat:message", data).await, "VALIDATION_ERROR");
    }
    // The chat alone: neither the status nor anything of party:
    let mut alone = Screen::of(&there, &host).await;
    alone.ask("chat:join", json!({ "partyId": party })).await;
    stage.log(party, "party:status_changed", party, &json!({ "status": "LIVE" })).await;
    say(&here, &host, party, "chat").await;
    assert_eq!(brief(&alone.logged().await), (57, "chat:new_message".to_owned()));
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn what_was_removed_meanwhile_is_told_as_removed() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let nothing = json!({});
    let gone = Uuid::now_v7();
    let mut expected = Vec::new();
    for (status, ready, reason) in [
        ("PROCESSING", "party:media_ready", None),
        ("FAILED", "party:media_removed", Some("FAILED")),
        ("HIDDEN", "party:media_removed", Some("HIDDEN")),
    ] {
        let media = stage.photo(party, &host, status).await;
        for (kind, told) in [
            ("party:new_media", if reason.is_none() { "party:new_media" } else { ready }),
            ("party:media_ready", ready),
        ] {
            stage.log(party, kind, media, &nothing).await;
            expected.push((told, json!({ "id": media, "reason": reason })));
        }
    }
    stage.log(party, "party:media_ready", gone, &nothing).await;
    expected.push(("party:media_removed", json!({ "id": gone, "reason": "DELETED" })));
    stage.log(party, "party:media_removed", gone, &json!({ "reason": "FAILED" })).await;
    expected.push(("party:media_removed", json!({ "id": gone, "reason": "FAILED" })));
    stage.log(party, "chat:new_message", gone, &nothing).await;
    expected.push(("chat:message_removed", json!({ "id": gone, "reason": null })));
    stage.log(party, "party:attendee_joined", gone, &nothing).await;
    expected.push(("party:attendee_left", json!({ "id": gone, "reason": null })));
    stage.log(party, "party:cake_was_cut", gone, &nothing).await;
    stage.log(party, "party:attendee_joined", host.id, &nothing).await;
    expected.push(("party:attendee_joined", json!({ "id": host.id, "reason": null })));

    let mut screen = Screen::of(&app, &host).await;
    let (events, answer) = screen.ask("party:join_live", json!({ "partyId": party, "since": 0 })).await;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["seq"].is_number())
        .map(|event| {
            let data = &event["data"];
            let ids = [&data["mediaId"], &data["media"]["id"], &data["messageId"], &data["attendee"]["id"]];
            let id = ids.into_iter().find(|id| !id.is_null()).unwrap();
            (event["event"].as_str().unwrap(), json!({ "id": id, "reason": data["reason"] }))
        })
        .collect();
    assert_eq!(told, expected);
    assert_eq!(answer["data"]["seq"], 12, "what only a newer binary knows is passed over");
    let left = events.iter().find(|event| event["event"] == "party:attendee_left").unwrap();
    assert_eq!(left["data"], json!({ "partyId": party, "attendee": { "id": gone } }));
    let everything = format!("{events:?}");
    for secret in ["accessCode", "joinUrl", "viewer\"", "email"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
    stop(app).await;
}

#[tokio::test]
async fn who_leaves_hears_nothing_any_more_on_any_pod() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let user = stage.user().await;
    stage.place(party, &user, "attendee", "in", "GOING").await;
    let mut screens = [Screen::of(&here, &user).await, Screen::of(&there, &user).await];
    let mut witness = Screen::of(&there, &host).await;
    for screen in screens.iter_mut().chain([&mut witness]) {
        screen.join(party).await;
        screen.ask("chat:join", json!({ "partyId": party })).await;
    }
    stage.place(party, &user, "attendee", "left", "GOING").await;
    stage.log(party, "party:attendee_left", user.id, &json!({})).await;
    say(&here, &host, party, "they are gone").await;
    witness.logged_up_to(2).await;
    for screen in &mut screens {
        // Whether they hear that they left themselves is all the same
        eventually(DEADLINE, "they are out", async || {
            let (_, answer) = screen.ask("chat:leave", json!({ "partyId": party })).await;
            answer["error"].is_null()
        })
        .await;
        let heard = screen.settled().await;
        assert!(!format!("{heard:?}").contains("they are gone"), "{heard:?}");
        assert_eq!(screen.refused("chat:join", json!({ "partyId": party })).await, "FORBIDDEN");
    }
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn without_redis_every_event_arrives_within_a_second() {
    let (stage, mut redis) = (Stage::new().await, OwnRedis::start().await);
    let (here, there) = (stage.pod(redis.url()).await, stage.pod(redis.url()).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut screen = Screen::of(&there, &host).await;
    screen.join(party).await;
    say(&here, &host, party, "with").await;
    screen.logged_up_to(1).await;

    redis.kill9();
    for seq in 2..=5 {
        say(&here, &host, party, "without").await;
        let said = Instant::now();
        assert_eq!(screen.logged_up_to(seq).await.len(), 1);
        assert!(said.elapsed() < Duration::from_secs(1) + NOISE, "after {:?}", said.elapsed());
    }
    redis.start_again().await;
    for seq in 6..=8 {
        say(&here, &host, party, "again").await;
        assert_eq!(screen.logged_up_to(seq).await.len(), 1);
    }
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn a_hub_that_dies_loses_and_repeats_nothing() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let app = stage.pod(&redis).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut screen = Screen::of(&app, &host).await;
    screen.join(party).await;
    for n in 1..=30 {
        if n % 10 == 5 {
            app.panic(Victim::Hub).await;
        }
        say(&app, &host, party, &n.to_string()).await;
    }
    let heard: Vec<_> = screen.logged_up_to(30).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(heard, (1..=30).collect::<Vec<_>>());
    stop(app).await;
}

#[tokio::test]
async fn another_place_is_another_ear() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let app = stage.pod(&redis).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let user = stage.user().await;
    stage.place(party, &user, "attendee", "in", "GOING").await;
    let (mut theirs, mut strange) =
        (Screen::of(&app, &user).await, Screen::of(&app, &stage.user().await).await);
    let mut hosts = Screen::of(&app, &host).await;
    for screen in [&mut theirs, &mut strange, &mut hosts] {
        screen.join(party).await;
    }
    let live = json!({ "status": "LIVE" });
    stage.place(party, &user, "attendee", "in", "MAYBE").await;
    stage.log(party, "party:attendee_updated", user.id, &json!({})).await;
    say(&app, &host, party, "not for who may come").await;
    stage.log(party, "party:status_changed", party, &live).await;
    let heard: Vec<_> = theirs.logged_up_to(3).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(heard, [1, 3]);

    stage.execute("UPDATE parties SET is_private = true WHERE id = $1", &[&party]).await;
    stage.log(party, "party:updated", party, &json!({})).await;
    stage.log(party, "party:status_changed", party, &live).await;
    for screen in [&mut theirs, &mut hosts] {
        let heard: Vec<_> = screen.logged_up_to(5).await.into_iter().map(|(seq, _)| seq).collect();
        assert!(heard.ends_with(&[4, 5]), "{heard:?}");
    }
    strange.logged_up_to(3).await;
    let heard = strange.settled().await;
    assert!(heard.iter().all(|event| event["seq"].is_null()), "a stranger is out: {heard:?}");
    let data = json!({ "partyId": party });
    assert_eq!(strange.refused("party:join_live", data).await, "NOT_FOUND");
    stage.execute("UPDATE parties SET is_private = false WHERE id = $1", &[&party]).await;
    stage.log(party, "party:updated", party, &json!({})).await;
    hosts.logged_up_to(6).await;
    let heard = strange.settled().await;
    assert!(heard.iter().all(|event| event["seq"].is_null()), "and stays out: {heard:?}");
    stop(app).await;
}

#[tokio::test]
async fn a_photo_is_told_when_it_comes_when_it_can_be_seen_and_when_it_goes() {
    let party = Party::new(true).await;
    let mut screen = Screen::of(&party.app, &party.host).await;
    screen.join(party.id).await;
    let taken = party.upload(Some(&party.guest), pictures::jpeg(640, 480), "a.jpg").await;
    assert_eq!(taken.status, 201, "{:?}", taken.body);
    let id = &taken.body["data"]["media"]["id"];

    let new = screen.logged().await;
    assert_eq!((brief(&new), &new["data"]["media"]["id"]), ((1, "party:new_media".to_owned()), id));
    assert_eq!(
        (&new["data"]["media"]["urls"], &new["data"]["media"]["status"]),
        (&json!(null), &json!("PROCESSING"))
    );
    let ready = screen.logged().await;
    let media = &ready["data"]["media"];
    assert_eq!((brief(&ready), &media["id"]), ((2, "party:media_ready".to_owned()), id));
    assert_eq!((&media["status"], &media["seq"]), (&json!("READY"), &json!(2)));
    assert!(media["urls"]["thumb"].is_string() && media["viewer"].is_null(), "{media}");

    let path = format!("/api/v1/media/{}", id.as_str().unwrap());
    let deleted = ask(&party.app, Some(&party.guest), Method::DELETE, &path, &[], None).await;
    assert_eq!(deleted.status, 204);
    let removed = screen.logged().await;
    let data = json!({ "partyId": party.id, "mediaId": id, "reason": "DELETED" });
    assert_eq!((brief(&removed), &removed["data"]), ((3, "party:media_removed".to_owned()), &data));
    let failed = party.upload(Some(&party.guest), truncated(), "b.jpg").await;
    assert_eq!(failed.status, 201, "{:?}", failed.body);
    assert_eq!(screen.logged_up_to(5).await.pop(), Some((5, "party:media_removed".to_owned())));
    stop(party.app).await;
}

/// What shows to be broken only when it is decoded.
fn truncated() -> Vec<u8> {
    let mut photo = pictures::noise(1200, 900);
    photo.truncate(photo.len() * 3 / 4);
    photo
}
