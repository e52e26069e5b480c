//! A party's stream on sockets: what is logged arrives complete, in order and once, on every pod, whatever dies.

use std::time::{Duration, Instant};

use party_gallery::db::migrate;
use reqwest::Method;
use serde_json::{Value, json};
use slog::{Discard, Logger, o};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::Victim,
    chaos_proxy::{ChaosProxy, Upstream},
    client,
    database::{MIGRATED, fresh},
    own::{OwnPostgres, OwnRedis},
    pod::Pod,
    poll::eventually,
    process::{Process, SECRET},
    screen::{Screen, brief, say},
    servers::fresh_redis,
    stage::{Somebody, Stage, ask, stop},
};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(750);

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

/// Says something until it is acknowledged, as a client does that keeps its own name for it.
async fn insist(app: &impl Pod, who: &Somebody, party: Uuid, name: &str) -> i64 {
    let path = format!("/api/v1/parties/{party}/chat/messages");
    let body = json!({ "content": name, "clientId": name });
    eventually(DEADLINE, name, async || {
        let said = ask(app, Some(who), Method::POST, &path, &[], Some(body.clone())).await;
        match said.status {
            200 | 201 => said.body["data"]["message"]["seq"].as_i64(),
            503 | 504 => None,
            _ => panic!("{:?}", said.body),
        }
    })
    .await
}

#[tokio::test]
async fn a_pod_that_is_killed_costs_its_screens_a_reconnection_and_no_event() {
    let (database, redis) = (fresh(&MIGRATED).await, OwnRedis::start().await);
    // Staging takes an address
    let line = ChaosProxy::start(Upstream::Unix(redis.socket().to_owned())).await;
    let redis = format!("redis://{}", line.address());
    let stage = Stage::shared(&database, SECRET);
    let [dying, living] = [(); 2].map(|()| Process::serve(&database, &redis, &[]));
    let (here, there) = (dying.address().await, living.address().await);
    for pod in [here, there] {
        let ready = format!("http://{pod}/health/ready");
        eventually(DEADLINE, "the pod is ready", async || {
            client::get(&ready).await.is_ok_and(|reply| reply.status() == 200)
        })
        .await;
    }
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (guest, talker) = (stage.guest(party).await, stage.guest(party).await);
    let (mut cut, mut staying) = (Screen::of(&here, &host).await, Screen::of(&there, &guest).await);
    let epoch = cut.join(party).await["epoch"].clone();
    staying.join(party).await;
    for n in 1..=20 {
        insist(if n % 2 == 0 { &here } else { &there }, &talker, party, &n.to_string()).await;
    }
    let mut seen = cut.logged_up_to(15).await;
    dying.signal("KILL");
    seen.extend(cut.logged_until_closed().await);
    for n in 21..=40 {
        insist(&there, &talker, party, &n.to_string()).await;
    }
    let numbers = |events: Vec<(i64, String)>| events.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
    let seen = numbers(seen);
    let last = *seen.last().unwrap();
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());

    let mut back = Screen::of(&there, &host).await;
    let resume = json!({ "partyId": party, "since": last, "epoch": epoch });
    let (missed, answer) = back.ask("party:join_live", resume).await;
    let missed = missed.iter().filter(|event| event["seq"].is_number()).map(brief).collect();
    assert_eq!(numbers(missed), (last + 1..=40).collect::<Vec<_>>());
    assert_eq!(answer["data"]["seq"], 40);
    assert_eq!(numbers(staying.logged_up_to(40).await), (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_standby_that_takes_over_is_another_history_and_its_screens_come_back() {
    let mut postgres = OwnPostgres::start().await;
    let log = Logger::root(Discard, o!());
    migrate::bring_up(&postgres.url().parse().unwrap(), DEADLINE, &log).await.unwrap();
    let stage = Stage::at(postgres.url());
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut screen = Screen::of(&app, &host).await;
    let epoch = screen.join(party).await["epoch"].clone();
    say(&app, &host, party, "before").await;
    screen.logged_up_to(1).await;
    postgres.take_over().await;
    assert!(screen.heard("server:draining").await["reconnectAfterMs"].is_u64(), "each at another time");
    assert_eq!(screen.logged_until_closed().await, []);
    let mut back = eventually(DEADLINE, "the database is there", async || {
        let mut screen = Screen::of(&app, &host).await;
        let (_, answer) = screen.ask("party:join_live", json!({ "partyId": party })).await;
        (answer["error"] == json!(null)).then_some(screen)
    })
    .await;
    let resume = json!({ "partyId": party, "since": 1, "epoch": epoch });
    assert_eq!(back.refused("party:join_live", resume).await, "RESYNC");
    let (_, answer) = back.ask("party:join_live", json!({ "partyId": party, "since": 0 })).await;
    assert_eq!(answer["data"]["replayed"], 1, "{answer}");
    stop(app).await;
}
