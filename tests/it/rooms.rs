//! The rooms of a party: who is let in, who is put out, and what is heard from where.

use serde_json::json;
use uuid::Uuid;

use crate::support::{
    screen::{Screen, brief, say},
    servers::fresh_redis,
    stage::{Stage, stop},
};

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
async fn an_onlooker_who_takes_part_hears_what_is_theirs_also_when_the_party_turns_private() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let [going, maybe, stranger] = [stage.user().await, stage.user().await, stage.user().await];
    let mut screens = Vec::new();
    for user in [&going, &maybe, &stranger] {
        let mut screen = Screen::of(&app, user).await;
        screen.join(party).await;
        screens.push(screen);
    }
    stage.place(party, &going, "attendee", "in", "GOING").await;
    stage.log(party, "party:attendee_joined", going.id, &json!({})).await;
    stage.place(party, &maybe, "attendee", "in", "MAYBE").await;
    stage.log(party, "party:attendee_updated", maybe.id, &json!({})).await;
    for screen in &mut screens {
        assert_eq!(screen.logged_up_to(2).await.len(), 2);
    }
    say(&app, &host, party, "among us").await;
    stage.execute("UPDATE parties SET is_private = true WHERE id = $1", &[&party]).await;
    stage.log(party, "party:updated", party, &json!({})).await;
    stage.log(party, "party:status_changed", party, &json!({ "status": "LIVE" })).await;
    let numbers = |heard: Vec<(i64, String)>| Vec::from_iter(heard.into_iter().map(|(seq, _)| seq));
    assert_eq!(numbers(screens[0].logged_up_to(5).await), [3, 4, 5], "the chat is theirs too");
    assert_eq!(numbers(screens[1].logged_up_to(5).await), [4, 5]);
    let more = screens[2].settled().await;
    assert!(more.iter().all(|frame| frame["seq"].is_null()), "a stranger is out: {more:?}");
    stop(app).await;
}

#[tokio::test]
async fn no_chat_is_too_long_winded_to_be_joined() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    stage.say_many(party, 60, "").await;
    let fill = "UPDATE messages SET content = content || repeat('🎉', 6000) WHERE party_id = $1";
    stage.execute(fill, &[&party]).await;
    let mut screen = Screen::of(&app, &host).await;
    let (_, answer) = screen.ask("chat:join", json!({ "partyId": party })).await;
    let told = answer["data"]["messages"].as_array().unwrap();
    let numbers: Vec<_> = told.iter().map(|message| message["seq"].as_i64().unwrap()).collect();
    assert_eq!(numbers, Vec::from_iter((51..=60).rev()), "the newest, as many as fit");
    assert_eq!(screen.heard("chat:history").await["messages"], answer["data"]["messages"]);
    assert_eq!(say(&app, &host, party, "on").await["seq"], 61);
    assert_eq!(brief(&screen.logged().await), (61, "chat:new_message".to_owned()));
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
async fn who_leaves_hears_nothing_any_more_on_any_pod() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let user = stage.user().await;
    stage.place(party, &user, "attendee", "in", "GOING").await;
    let mut screens = [Screen::of(&here, &user).await, Screen::of(&there, &user).await];
    let mut witnesses = [Screen::of(&here, &host).await, Screen::of(&there, &host).await];
    for screen in screens.iter_mut().chain(&mut witnesses) {
        screen.join(party).await;
        screen.ask("chat:join", json!({ "partyId": party })).await;
    }
    stage.place(party, &user, "attendee", "left", "GOING").await;
    stage.log(party, "party:attendee_left", user.id, &json!({})).await;
    say(&here, &host, party, "they are gone").await;
    for (screen, witness) in screens.iter_mut().zip(&mut witnesses) {
        // What one socket of a pod has heard, the others have heard or never will
        witness.logged_up_to(2).await;
        let heard: Vec<_> = screen.settled().await.into_iter().filter(|e| e["seq"].is_number()).collect();
        assert_eq!(heard.len(), 1, "that they left, and nothing after it: {heard:?}");
        assert_eq!(brief(&heard[0]), (1, "party:attendee_left".to_owned()));
        assert_eq!(screen.refused("chat:join", json!({ "partyId": party })).await, "FORBIDDEN");
    }
    stop(here).await;
    stop(there).await;
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
