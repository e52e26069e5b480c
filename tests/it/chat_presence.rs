//! Who is in a chat and who types there, and who watches a party: on all pods, whatever dies.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::interval;
use uuid::Uuid;

use crate::support::{
    house::House,
    own::OwnRedis,
    screen::Screen,
    servers::fresh_redis,
    stage::{Somebody, Stage, stop},
};

/// Longer than a typist is shown who has stopped, or than a pod is believed that is silent, on a busy machine.
const TYPING_ENDS: Duration = Duration::from_secs(9);
const GHOSTS_END: Duration = Duration::from_secs(40);

async fn enter(screen: &mut Screen, party: Uuid) -> Value {
    let (_, answer) = screen.ask("chat:join", json!({ "partyId": party })).await;
    assert_eq!(answer["error"], json!(null));
    assert_eq!(screen.heard("chat:history").await["partyId"], json!(party));
    answer
}

async fn types(screen: &mut Screen, party: Uuid, is_typing: bool) -> (Vec<Value>, Value) {
    screen.ask("chat:typing", json!({ "partyId": party, "isTyping": is_typing })).await
}

fn named(events: &[Value], name: &str) -> usize {
    events.iter().filter(|event| event["event"] == name).count()
}

#[tokio::test]
async fn who_comes_into_a_chat_and_goes_is_told_in_there_once() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let mut hosts = [Screen::of(&here, &host).await, Screen::of(&there, &host).await];
    let mut outside = Screen::of(&here, &host).await;
    outside.join(party).await;
    for screen in &mut hosts {
        enter(screen, party).await;
    }
    let mut guests = Screen::of(&there, &guest).await;
    enter(&mut guests, party).await;
    for screen in &mut hosts {
        let joined = screen.heard("chat:user_joined").await;
        assert_eq!((&joined["partyId"], &joined["user"]["id"]), (&json!(party), &json!(guest.id)));
        assert_eq!(
            (&joined["user"]["displayName"], &joined["user"]["isGuest"]),
            (&json!("Guest"), &json!(true))
        );
    }
    // Another device of the same person, on the other pod, is nobody new, and the last one counts
    let mut second = Screen::of(&here, &guest).await;
    enter(&mut second, party).await;
    // Told after it, on the same way: the other pod knows both by then
    types(&mut hosts[0], party, true).await;
    guests.heard("chat:user_typing").await;
    guests.ask("chat:leave", json!({ "partyId": party })).await;
    for screen in &mut hosts {
        let heard = screen.settled().await;
        assert_eq!(named(&heard, "chat:user_joined") + named(&heard, "chat:user_left"), 0, "{heard:?}");
    }
    drop(second);
    for screen in &mut hosts {
        let left = screen.heard("chat:user_left").await;
        assert_eq!((&left["partyId"], &left["user"]["id"]), (&json!(party), &json!(guest.id)));
    }
    // Who is put out is told as well
    enter(&mut guests, party).await;
    for screen in &mut hosts {
        screen.heard("chat:user_joined").await;
    }
    stage.place(party, &guest, "guest", "left", "GOING").await;
    stage.log(party, "party:attendee_left", guest.id, &json!({})).await;
    for screen in &mut hosts {
        assert_eq!(screen.heard("chat:user_left").await["user"]["id"], json!(guest.id));
    }
    let heard = outside.settled().await;
    assert_eq!(named(&heard, "chat:user_joined") + named(&heard, "chat:user_left"), 0, "{heard:?}");
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn who_types_is_shown_to_the_others_in_the_chat_and_ends_by_itself() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (guest, maybe) = (stage.guest(party).await, stage.user().await);
    stage.place(party, &maybe, "attendee", "in", "MAYBE").await;
    let mut typist = Screen::of(&here, &host).await;
    let mut others = [Screen::of(&here, &guest).await, Screen::of(&there, &guest).await];
    let mut own = Screen::of(&there, &host).await;
    let mut outside = Screen::of(&there, &guest).await;
    outside.join(party).await;
    for screen in others.iter_mut().chain([&mut typist, &mut own]) {
        enter(screen, party).await;
    }
    for screen in &mut others {
        screen.heard("chat:user_joined").await;
    }

    // Ten a second for three seconds, as no good client does
    let (began, mut typed, mut tick) = (Instant::now(), 0, interval(Duration::from_millis(100)));
    while began.elapsed() < Duration::from_secs(3) {
        tick.tick().await;
        let (_, answer) = types(&mut typist, party, true).await;
        assert_eq!((&answer["error"], &answer["data"]), (&json!(null), &json!(null)));
        typed += 1;
    }
    let stopped = Instant::now();
    for screen in &mut others {
        let mut told = Vec::new();
        loop {
            let typing = screen.heard_within("chat:user_typing", TYPING_ENDS).await;
            assert_eq!((&typing["partyId"], &typing["user"]["id"]), (&json!(party), &json!(host.id)));
            told.push(typing["isTyping"].as_bool().unwrap());
            if told.ends_with(&[false]) {
                break;
            }
        }
        let most = 2 + usize::try_from(stopped.duration_since(began).as_secs()).unwrap();
        assert!(told.len() <= most, "{} of {typed} in {:?}", told.len(), stopped.duration_since(began));
        assert!(stopped.elapsed() >= Duration::from_secs(4), "not before its time: {:?}", stopped.elapsed());
    }
    for screen in [&mut typist, &mut own, &mut outside] {
        let heard = screen.settled().await;
        assert_eq!(named(&heard, "chat:user_typing"), 0, "{heard:?}");
    }

    // Who stops says so at once, and who goes types no more
    types(&mut typist, party, true).await;
    for screen in &mut others {
        assert_eq!(screen.heard("chat:user_typing").await["isTyping"], true);
    }
    drop((typist, own));
    for screen in &mut others {
        assert_eq!(screen.heard("chat:user_typing").await["isTyping"], false);
        screen.heard("chat:user_left").await;
    }

    // Only who is in the chat, which only attendees are
    let mut maybes = Screen::of(&here, &maybe).await;
    maybes.join(party).await;
    for (screen, party) in [(&mut maybes, party), (&mut outside, party)] {
        for party in [party, Uuid::now_v7()] {
            let data = json!({ "partyId": party, "isTyping": true });
            assert_eq!(screen.refused("chat:typing", data).await, "FORBIDDEN");
        }
    }
    stop(here).await;
    stop(there).await;
}

/// Whom somebody in a chat and at a party still sees when a pod is killed.
#[tokio::test]
async fn a_pod_that_is_killed_leaves_no_ghosts() {
    let house = House::start().await;
    let ((dying, here), (_living, there)) = (house.pod(&[]).await, house.pod(&[]).await);
    let stage = house.stage();
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let mut stays = Screen::of(&there, &host).await;
    enter(&mut stays, party).await;
    stays.join(party).await;
    let mut dies = Screen::of(&here, &guest).await;
    enter(&mut dies, party).await;
    dies.join(party).await;
    assert_eq!(stays.heard("chat:user_joined").await["user"]["id"], json!(guest.id));
    assert_eq!(stays.heard("party:viewer_joined").await["viewerCount"], 2);

    dying.signal("KILL");
    let killed = Instant::now();
    let mut gone = Vec::new();
    while gone.len() < 2 {
        let frame = stays.frame_within(GHOSTS_END).await;
        match frame["event"].as_str() {
            Some("chat:user_left") => assert_eq!(frame["data"]["user"]["id"], json!(guest.id)),
            Some("party:viewer_left") => assert_eq!(frame["data"]["viewerCount"], 1),
            _ => continue,
        }
        gone.push(frame["event"].clone());
    }
    assert!(killed.elapsed() < GHOSTS_END, "{:?}", killed.elapsed());
}

/// What pods told each other is gone with Redis, and told again.
#[tokio::test]
async fn a_redis_that_comes_back_empty_is_told_again() {
    let (stage, mut redis) = (Stage::new().await, OwnRedis::start().await);
    let (here, there) = (stage.pod(redis.url()).await, stage.pod(redis.url()).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let people: Vec<Somebody> = vec![stage.guest(party).await, stage.guest(party).await];
    let mut hosts = Screen::of(&here, &host).await;
    enter(&mut hosts, party).await;
    let mut first = Screen::of(&there, &people[0]).await;
    enter(&mut first, party).await;
    hosts.heard("chat:user_joined").await;

    redis.kill9();
    // Nothing fails meanwhile: who comes on the same pod is seen, on the other one later
    let mut second = Screen::of(&there, &people[1]).await;
    enter(&mut second, party).await;
    // The host's own coming may have been told late
    while first.heard("chat:user_joined").await["user"]["id"] != json!(people[1].id) {}
    redis.start_again().await;
    assert_eq!(hosts.heard("chat:user_joined").await["user"]["id"], json!(people[1].id));
    drop(first);
    assert_eq!(hosts.heard("chat:user_left").await["user"]["id"], json!(people[0].id));
    stop(here).await;
    stop(there).await;
}
