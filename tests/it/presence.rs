//! Who is there: told to those who may know, on all pods, whatever dies.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::{interval, sleep},
};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    house::House,
    own::OwnRedis,
    poll::eventually,
    screen::Screen,
    servers::fresh_redis,
    stage::{Somebody, Stage, stop},
};

/// How long a pod is believed that was killed, on a busy machine.
const GHOSTS_END: Duration = Duration::from_secs(40);

async fn befriend(stage: &Stage, one: &Somebody, other: &Somebody) {
    follow(stage, one, other).await;
    follow(stage, other, one).await;
}

async fn follow(stage: &Stage, follower: &Somebody, followed: &Somebody) {
    let insert = "INSERT INTO follows (follower_id, followed_id) VALUES ($1, $2)";
    stage.execute(insert, &[&follower.id, &followed.id]).await;
}

/// What is told of somebody next.
async fn told(screen: &mut Screen, of: &Somebody) -> Value {
    loop {
        let seen = screen.heard("presence:update").await;
        if seen["userId"] == json!(of.id) {
            return seen;
        }
    }
}

/// How somebody is seen.
async fn check(screen: &mut Screen, of: &Somebody) -> Value {
    let (_, mut answer) = screen.ask("presence:check", json!([of.id])).await;
    answer["data"][0].take()
}

/// Waits until the pod has seen that the screen's own user is there. Whom it knew before, when it had begun to look, it has
/// no news of.
async fn is_seen(screen: &mut Screen, who: &Somebody) {
    eventually(DEADLINE, "the pod knows them", async || {
        // No faster than frames may come
        sleep(Duration::from_millis(50)).await;
        brief(&check(screen, who).await) == (true, "online")
    })
    .await;
}

async fn say(screen: &mut Screen, status: &str) {
    let (_, answer) = screen.ask("presence:status", json!({ "status": status })).await;
    assert_eq!((&answer["error"], &answer["data"]), (&json!(null), &json!(null)));
}

fn brief(seen: &Value) -> (bool, &str) {
    (seen["isOnline"].as_bool().unwrap(), seen["status"].as_str().unwrap())
}

/// Whether nothing is told for a while.
async fn hears_nothing(screen: &mut Screen, during: Duration) {
    let (began, mut tick) = (Instant::now(), interval(Duration::from_millis(200)));
    loop {
        let heard = screen.settled().await;
        assert!(heard.iter().all(|event| event["event"] != "presence:update"), "{heard:?}");
        if began.elapsed() >= during {
            return;
        }
        tick.tick().await;
    }
}

#[tokio::test]
async fn who_is_there_is_told_to_friends_and_company_on_all_pods() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let [ann, friend, fan, host, stranger] =
        [stage.user().await, stage.user().await, stage.user().await, stage.user().await, stage.user().await];
    befriend(&stage, &ann, &friend).await;
    follow(&stage, &fan, &ann).await;
    let (live, planned) = (stage.party(&host, "LIVE", true).await, stage.party(&fan, "PLANNED", true).await);
    for party in [live, planned] {
        stage.place(party, &ann, "attendee", "in", "GOING").await;
    }
    stage.place(live, &stranger, "attendee", "in", "MAYBE").await;
    let guest = stage.guest(live).await;
    let mut concerned = [
        Screen::personal(&there, &friend).await,
        Screen::personal(&here, &host).await,
        Screen::personal(&there, &guest).await,
    ];
    let mut others = [Screen::personal(&here, &fan).await, Screen::personal(&there, &stranger).await];

    for (screen, who) in concerned.iter_mut().zip([&friend, &host, &guest]) {
        is_seen(screen, who).await;
    }
    let mut device = Screen::personal(&here, &ann).await;
    for screen in &mut concerned {
        let seen = told(screen, &ann).await;
        assert_eq!(brief(&seen), (true, "online"));
        assert!(seen["lastSeen"].is_string(), "{seen}");
    }
    let mut second = Screen::personal(&there, &ann).await;
    say(&mut second, "busy").await;
    for screen in &mut concerned {
        assert_eq!(brief(&told(screen, &ann).await), (true, "busy"), "and no word of a second device");
    }
    say(&mut device, "away").await;
    for screen in &mut concerned {
        assert_eq!(brief(&told(screen, &ann).await), (true, "away"), "what is said last");
    }
    assert_eq!(brief(&check(&mut second, &ann).await), (true, "away"), "she knows");

    drop(device);
    hears_nothing(&mut concerned[0], Duration::from_secs(7)).await;
    drop(second);
    let gone = Instant::now();
    for screen in &mut concerned {
        let seen = told(screen, &ann).await;
        assert_eq!(brief(&seen), (false, "offline"));
        assert!(seen["lastSeen"].is_string() && gone.elapsed() >= Duration::from_secs(4), "{seen}");
        let later = check(screen, &ann).await;
        assert_eq!((brief(&later), &later["lastSeen"]), ((false, "offline"), &seen["lastSeen"]));
    }
    for screen in &mut others {
        hears_nothing(screen, Duration::ZERO).await;
    }
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn who_comes_right_back_to_another_pod_was_never_away() {
    let (stage, redis) = (Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let (ann, friend) = (stage.user().await, stage.user().await);
    befriend(&stage, &ann, &friend).await;
    let mut listens = Screen::personal(&here, &friend).await;
    is_seen(&mut listens, &friend).await;
    let mut device = Screen::personal(&here, &ann).await;
    assert_eq!(brief(&told(&mut listens, &ann).await), (true, "online"));
    say(&mut device, "busy").await;
    assert_eq!(brief(&told(&mut listens, &ann).await), (true, "busy"));
    for pod in [&there, &here, &there] {
        drop(device);
        device = Screen::personal(pod, &ann).await;
        hears_nothing(&mut listens, Duration::from_secs(3)).await;
    }
    hears_nothing(&mut listens, Duration::from_secs(6)).await;
    assert_eq!(brief(&check(&mut listens, &ann).await), (true, "busy"), "and what she said goes along");
    drop(device);
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn whom_one_may_not_know_of_is_never_there() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let [ann, friend, fan, stranger] =
        [stage.user().await, stage.user().await, stage.user().await, stage.user().await];
    befriend(&stage, &ann, &friend).await;
    follow(&stage, &fan, &ann).await;
    let (party, over) = (stage.party(&ann, "LIVE", true).await, stage.party(&stranger, "ENDED", true).await);
    stage.place(over, &ann, "attendee", "in", "GOING").await;
    let (guest, gone) = (stage.guest(party).await, stage.guest(party).await);
    stage.place(party, &gone, "guest", "left", "GOING").await;
    let _anns = Screen::personal(&app, &ann).await;
    let mut screens = Vec::new();
    for (who, may_know) in
        [(&friend, true), (&guest, true), (&ann, true), (&fan, false), (&stranger, false), (&gone, false)]
    {
        screens.push((Screen::personal(&app, who).await, may_know));
    }
    let nobody = Uuid::now_v7();
    for (screen, may_know) in &mut screens {
        // A pod looks once a second who is there
        eventually(DEADLINE, "she is there for who may know", async || {
            // No faster than frames may come
            sleep(Duration::from_millis(50)).await;
            let (_, answer) = screen.ask("presence:check", json!([nobody, ann.id, nobody])).await;
            let seen = &answer["data"];
            let never =
                |id: Uuid| json!({ "userId": id, "isOnline": false, "status": "offline", "lastSeen": null });
            assert_eq!((&seen[0], &seen[2]), (&never(nobody), &never(nobody)));
            if !*may_know {
                assert_eq!(seen[1], never(ann.id));
            }
            !*may_know || brief(&seen[1]) == (true, "online")
        })
        .await;
    }
    let (screen, _) = &mut screens[0];
    for data in [json!(vec![ann.id; 101]), json!(["x"]), json!({ "userId": ann.id }), json!(null)] {
        assert_eq!(screen.refused("presence:check", data).await, "VALIDATION_ERROR");
    }
    assert_eq!(
        screen.ask("presence:check", json!(vec![ann.id; 100])).await.1["data"].as_array().unwrap().len(),
        100
    );
    for status in ["offline", "asleep", ""] {
        assert_eq!(screen.refused("presence:status", json!({ "status": status })).await, "VALIDATION_ERROR");
    }
    stop(app).await;
}

/// How many commands a Redis has served.
async fn commands(socket: &Path) -> u64 {
    let mut redis = UnixStream::connect(socket).await.unwrap();
    redis.write_all(b"INFO stats\r\nQUIT\r\n").await.unwrap();
    let mut told = String::new();
    redis.read_to_string(&mut told).await.unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix("total_commands_processed:")).unwrap();
    line.trim().parse().unwrap()
}

#[tokio::test]
async fn at_a_party_of_10_000_one_of_them_costs_no_10_000_words() {
    let (stage, redis) = (Stage::new().await, OwnRedis::start().await);
    let (here, there) = (stage.pod(redis.url()).await, stage.pod(redis.url()).await);
    let (host, ann) = (stage.user().await, stage.user().await);
    let party = stage.party(&host, "LIVE", true).await;
    stage.place(party, &ann, "attendee", "in", "GOING").await;
    stage
        .execute(
            "WITH crowd AS (
                 INSERT INTO people (id, is_guest, display_name)
                 SELECT gen_random_uuid(), true, 'One of many' FROM generate_series(1, 10000) RETURNING id
             )
             INSERT INTO attendances (party_id, person_id, role) SELECT $1, id, 'guest' FROM crowd",
            &[&party],
        )
        .await;
    let mut hosts = Screen::personal(&there, &host).await;
    is_seen(&mut hosts, &host).await;
    let mut anns = Screen::personal(&here, &ann).await;
    assert_eq!(brief(&told(&mut hosts, &ann).await), (true, "online"));
    let (before, began) = (commands(redis.socket()).await, Instant::now());
    for status in ["busy", "away", "online"] {
        say(&mut anns, status).await;
        assert_eq!(brief(&told(&mut hosts, &ann).await), (true, status));
    }
    // What two pods ask anyway, each second, is some dozens
    let most = 200 * (2 + began.elapsed().as_secs());
    let spent = commands(redis.socket()).await - before;
    assert!(spent < most, "{spent} commands in {:?}", began.elapsed());
    stop(here).await;
    stop(there).await;
}

#[tokio::test]
async fn a_pod_that_is_killed_has_nobody_there() {
    let house = House::start().await;
    let ((dying, here), (_living, there)) = (house.pod(&[]).await, house.pod(&[]).await);
    let stage = house.stage();
    let (ann, friend) = (stage.user().await, stage.user().await);
    befriend(&stage, &ann, &friend).await;
    let mut stays = Screen::personal(&there, &friend).await;
    is_seen(&mut stays, &friend).await;
    let _dies = Screen::personal(&here, &ann).await;
    assert_eq!(brief(&told(&mut stays, &ann).await), (true, "online"));
    dying.signal("KILL");
    let killed = Instant::now();
    let seen = stays.heard_within("presence:update", GHOSTS_END).await;
    assert_eq!((brief(&seen), &seen["userId"]), ((false, "offline"), &json!(ann.id)));
    assert!(seen["lastSeen"].is_string() && killed.elapsed() < GHOSTS_END, "{seen} {:?}", killed.elapsed());
}

#[tokio::test]
async fn without_redis_each_pod_goes_on_and_an_empty_one_is_filled_again() {
    let (stage, mut redis) = (Stage::new().await, OwnRedis::start().await);
    let (here, there) = (stage.pod(redis.url()).await, stage.pod(redis.url()).await);
    let [ann, near, far] = [stage.user().await, stage.user().await, stage.user().await];
    befriend(&stage, &ann, &near).await;
    befriend(&stage, &ann, &far).await;
    let (mut nears, mut fars) = (Screen::personal(&here, &near).await, Screen::personal(&there, &far).await);
    is_seen(&mut nears, &near).await;
    is_seen(&mut fars, &far).await;
    let mut anns = Screen::personal(&here, &ann).await;
    for screen in [&mut nears, &mut fars] {
        assert_eq!(brief(&told(screen, &ann).await), (true, "online"));
    }

    redis.kill9();
    say(&mut anns, "busy").await;
    assert_eq!(brief(&told(&mut nears, &ann).await), (true, "busy"));
    assert_eq!(brief(&check(&mut nears, &ann).await), (true, "busy"));
    assert_eq!(brief(&check(&mut fars, &ann).await), (true, "online"), "as far as that pod knows");
    hears_nothing(&mut fars, Duration::from_secs(5)).await;

    redis.start_again().await;
    assert_eq!(brief(&told(&mut fars, &ann).await), (true, "busy"));
    // Nobody was away for having been lost, and a pod that comes now finds everybody
    let later = stage.pod(redis.url()).await;
    let mut elsewhere = Screen::personal(&later, &far).await;
    eventually(DEADLINE, "she is there", async || {
        brief(&check(&mut elsewhere, &ann).await) == (true, "busy")
    })
    .await;
    for screen in [&mut nears, &mut fars] {
        hears_nothing(screen, Duration::from_secs(6)).await;
    }
    drop(anns);
    for screen in [&mut nears, &mut fars, &mut elsewhere] {
        assert_eq!(brief(&told(screen, &ann).await), (false, "offline"));
    }
    for pod in [here, there, later] {
        stop(pod).await;
    }
}
