//! Clients of Socket.IO that come back: recovered where they may be, and told when they are not.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    app::TestApp,
    pod::Pod,
    servers::fresh_redis,
    socketio::{
        Event, SocketIo,
        Way::{self, Polling, Socket},
    },
    stage::{Somebody, Stage, stop},
};

/// Two pods, and a party with a guest.
struct Place {
    stage: Stage,
    pods: [TestApp; 2],
    host: Somebody,
    guest: Somebody,
    party: Uuid,
}

impl Place {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[(&str, &str)]) -> Self {
        let stage = Stage::new().await;
        // Each on a Redis of its own: nothing of a session is kept there
        let (first, second) = (fresh_redis().await, fresh_redis().await);
        let pods = [stage.pod_with(&first, more).await, stage.pod_with(&second, more).await];
        let host = stage.user().await;
        let party = stage.party(&host, "LIVE", true).await;
        let guest = stage.guest(party).await;
        Self { stage, pods, host, guest, party }
    }

    async fn say(&self, many: i64) {
        self.stage.say_many(self.party, many, "something").await;
    }

    /// The guest in both rooms.
    async fn follower(&self, way: Way) -> SocketIo {
        let mut client = SocketIo::connect(&self.pods[0], way, &asks(&self.guest, json!({}))).await;
        assert!(client.pid().is_some());
        for join in ["party:join_live", "chat:join"] {
            client.done(join, json!({ "partyId": self.party })).await;
        }
        client
    }

    async fn close(self) {
        let [first, second] = self.pods;
        stop(first).await;
        stop(second).await;
    }
}

/// What somebody shows who wants to be recovered.
fn asks(somebody: &Somebody, more: Value) -> Value {
    let mut auth = json!({ "token": somebody.bearer.strip_prefix("Bearer "), "recover": true });
    let Value::Object(more) = more else { panic!("{more} is no object") };
    auth.as_object_mut().unwrap().extend(more);
    auth
}

fn numbers(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.data["seq"].as_i64().unwrap()).collect()
}

/// The numbers of what it hears next, which was recovered under that name.
async fn resumed(client: &mut SocketIo, pid: &str, many: usize) -> Vec<i64> {
    assert_eq!(client.pid(), Some(pid));
    numbers(&client.logged(many).await)
}

/// Comes in with that, and is not recovered: it has another name, and hears nothing but what it asks for.
async fn stays_out(pod: &impl Pod, auth: &Value) {
    let mut client = SocketIo::connect(pod, Socket, auth).await;
    assert_ne!(client.pid(), auth["pid"].as_str(), "{auth}");
    assert_eq!(client.ask("ping", json!(7)).await, (Vec::new(), json!(7)), "{auth}");
}

#[tokio::test]
async fn who_comes_back_to_another_pod_hears_what_they_missed_once_and_in_order() {
    let place = Place::new().await;
    for way in [Polling, Socket] {
        let mut client = place.follower(way).await;
        place.say(3).await;
        let heard = client.logged(3).await;
        let first = numbers(&heard)[0];
        let (pid, offset) = (client.pid().unwrap().to_owned(), heard[1].offset.clone().unwrap());
        drop(client);
        place.say(400).await;

        // The last of the three did not arrive
        let auth = asks(&place.guest, json!({ "pid": pid, "offset": offset }));
        let mut back = SocketIo::connect(&place.pods[1], way, &auth).await;
        assert_eq!(back.pid(), Some(pid.as_str()));
        let missed = back.logged(401).await;
        assert_eq!(numbers(&missed), (first + 2..first + 403).collect::<Vec<_>>());
        place.say(1).await;
        assert_eq!(numbers(&back.logged(1).await), [first + 403]);
        // In the chat as well
        let typing = json!({ "partyId": place.party, "isTyping": true });
        assert_eq!(back.done("chat:typing", typing).await, json!(null));

        // And once more, with what it heard since, to the pod where it began
        let offset = missed.last().unwrap().offset.clone();
        let auth = asks(&place.guest, json!({ "pid": pid, "offset": offset }));
        let mut again = SocketIo::connect(&place.pods[0], way, &auth).await;
        assert_eq!(resumed(&mut again, &pid, 1).await, [first + 403]);
    }
    place.close().await;
}

#[tokio::test]
async fn who_had_heard_nothing_yet_comes_back_by_their_name_alone() {
    let place = Place::new().await;
    for way in [Polling, Socket] {
        let client = place.follower(way).await;
        let pid = client.pid().unwrap().to_owned();
        drop(client);
        place.say(2).await;
        let auth = asks(&place.guest, json!({ "pid": pid }));
        let mut back = SocketIo::connect(&place.pods[1], way, &auth).await;
        resumed(&mut back, &pid, 2).await;
    }
    // Also who was in no room: nothing is what they had
    let idle = SocketIo::connect(&place.pods[0], Socket, &asks(&place.guest, json!({}))).await;
    let auth = asks(&place.guest, json!({ "pid": idle.pid() }));
    let back = SocketIo::connect(&place.pods[1], Socket, &auth).await;
    assert_eq!(back.pid(), idle.pid());
    place.close().await;
}

#[tokio::test]
async fn a_drain_sends_clients_to_another_pod_with_nothing_missed() {
    // The delay is for a poll that is on its way
    let place = Place::with(&[("DRAIN_DELAY", "1s")]).await;
    let mut clients = [place.follower(Polling).await, place.follower(Socket).await];
    let Place { stage, pods: [first, second], guest, party, .. } = place;
    let listening = join_all(clients.iter_mut().map(async |client| {
        let mut told = Vec::new();
        while let Some(event) = client.event().await {
            told.push(event.name);
        }
        told.pop()
    }));
    let (told, ()) = join(listening, stop(first)).await;
    let draining = Some("server:draining".to_owned());
    assert_eq!(told, [draining.clone(), draining]);
    stage.say_many(party, 2, "meanwhile").await;
    for (client, way) in clients.iter().zip([Polling, Socket]) {
        let auth = asks(&guest, json!({ "pid": client.pid() }));
        let mut back = SocketIo::connect(&second, way, &auth).await;
        resumed(&mut back, client.pid().unwrap(), 2).await;
    }
    stop(second).await;
}

#[tokio::test]
async fn who_may_not_be_there_any_more_is_not_recovered_and_hears_nothing() {
    let place = Place::new().await;
    let user = place.stage.user().await;
    // Out of the party, out of its chat, and out of the service
    for (state, rsvp, removes) in [("banned", "GOING", ""), ("in", "MAYBE", ""), ("in", "GOING", "token")] {
        place.stage.place(place.party, &user, "attendee", "in", "GOING").await;
        let mut client = SocketIo::connect(&place.pods[0], Socket, &asks(&user, json!({}))).await;
        for join in ["party:join_live", "chat:join"] {
            client.done(join, json!({ "partyId": place.party })).await;
        }
        place.say(1).await;
        let offset = client.logged(1).await.remove(0).offset;
        let mut auth = asks(&user, json!({ "pid": client.pid(), "offset": offset }));
        drop(client);
        place.stage.place(place.party, &user, "attendee", state, rsvp).await;
        place.say(1).await;
        if removes == "token" {
            auth["token"] = json!("worthless");
            let refused = SocketIo::try_connect(&place.pods[1], Socket, &auth).await.err().unwrap();
            assert_eq!(refused["data"]["code"], "UNAUTHENTICATED");
        } else {
            stays_out(&place.pods[1], &auth).await;
        }
    }
    place.close().await;
}

#[tokio::test]
async fn what_is_forged_somebody_elses_or_too_old_recovers_nothing() {
    let place = Place::new().await;
    let other = place.stage.guest(place.party).await;
    let mut client = place.follower(Socket).await;
    place.say(2).await;
    let heard = client.logged(2).await;
    let (pid, offset) = (client.pid().unwrap().to_owned(), heard[0].offset.clone().unwrap());
    let mut theirs = SocketIo::connect(&place.pods[0], Socket, &asks(&other, json!({}))).await;
    theirs.done("party:join_live", json!({ "partyId": place.party, "since": 0 })).await;
    let their_pid = theirs.pid().unwrap().to_owned();
    let forged = |text: &str| {
        let mut letters: Vec<_> = text.chars().collect();
        letters[30] = if letters[30] == 'A' { 'B' } else { 'A' };
        letters.into_iter().collect::<String>()
    };
    let pod = &place.pods[1];
    for (pid, offset) in [
        (forged(&pid), offset.clone()),
        (pid.clone(), forged(&offset)),
        (pid.clone(), String::new()),
        (pid.clone(), pid.clone()),
        (their_pid.clone(), offset.clone()),
    ] {
        stays_out(pod, &asks(&place.guest, json!({ "pid": pid, "offset": offset }))).await;
    }
    for (pid, offset) in [(pid.clone(), None), (pid.clone(), Some(&offset)), (their_pid, Some(&offset))] {
        stays_out(pod, &asks(&other, json!({ "pid": pid, "offset": offset }))).await;
    }
    let refused = SocketIo::try_connect(pod, Socket, &asks(&other, json!({ "pid": 7 }))).await.err().unwrap();
    assert_eq!(refused["data"]["code"], "VALIDATION_ERROR");

    let auth = asks(&place.guest, json!({ "pid": pid, "offset": offset }));
    // It was worth something, until the log goes on without what it missed
    let mut back = SocketIo::connect(pod, Socket, &auth).await;
    resumed(&mut back, &pid, 1).await;
    for too_old in [
        "UPDATE recoveries SET used_at = now() - interval '8 days'",
        "UPDATE recoveries SET used_at = now(), epoch = gen_random_uuid()",
    ] {
        place.stage.execute(too_old, &[]).await;
        stays_out(pod, &auth).await;
    }
    place.stage.execute("UPDATE recoveries SET epoch = (SELECT epoch FROM schema_meta)", &[]).await;
    place.stage.execute("DELETE FROM events WHERE seq <= 2", &[]).await;
    stays_out(pod, &auth).await;
    place.close().await;
}

#[tokio::test]
async fn what_was_heard_before_somebody_was_not_recovered_does_not_count() {
    let place = Place::new().await;
    let mut client = place.follower(Socket).await;
    place.say(1).await;
    // As the JavaScript client does it, which keeps the last that it heard
    let offset = client.logged(1).await.remove(0).offset;
    let later = place.follower(Socket).await;
    place.say(1).await;
    let auth = asks(&place.guest, json!({ "pid": later.pid(), "offset": offset }));
    let mut back = SocketIo::connect(&place.pods[1], Socket, &auth).await;
    assert_eq!(resumed(&mut back, later.pid().unwrap(), 1).await, [2]);
    place.close().await;
}

#[tokio::test]
async fn rooms_that_were_left_stay_left() {
    let place = Place::new().await;
    let second = place.stage.party(&place.host, "LIVE", true).await;
    let mut client = SocketIo::connect(&place.pods[0], Socket, &asks(&place.host, json!({}))).await;
    for party in [place.party, second] {
        client.done("party:join_live", json!({ "partyId": party })).await;
    }
    place.say(1).await;
    let offset = client.logged(1).await.remove(0).offset;
    client.done("party:leave_live", json!({ "partyId": place.party })).await;
    let auth = asks(&place.host, json!({ "pid": client.pid(), "offset": offset }));
    drop(client);
    place.say(1).await;
    place.stage.say_many(second, 1, "something").await;
    let mut back = SocketIo::connect(&place.pods[1], Socket, &auth).await;
    let heard = back.logged(1).await;
    assert_eq!(heard[0].data["partyId"], json!(second));
    assert_eq!(back.ask("ping", json!(7)).await, (Vec::new(), json!(7)));
    place.close().await;
}

#[tokio::test]
async fn who_does_not_ask_is_given_nothing_to_come_back_by() {
    let place = Place::new().await;
    let mut auth = asks(&place.guest, json!({}));
    auth.as_object_mut().unwrap().remove("recover");
    let mut client = SocketIo::connect(&place.pods[0], Polling, &auth).await;
    assert_eq!(client.pid(), None);
    client.done("party:join_live", json!({ "partyId": place.party })).await;
    // In a burst, so many in an answer as python-engineio takes
    place.say(500).await;
    let heard = client.logged(500).await;
    assert_eq!(numbers(&heard), (1..=500).collect::<Vec<_>>());
    assert!(heard.iter().all(|event| event.offset.is_none()));
    assert!((2..=16).contains(&client.most), "{}", client.most);
    place.close().await;
}
