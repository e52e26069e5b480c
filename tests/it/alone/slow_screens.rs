//! Screens that stop reading while a party is busy: they are put out, they are counted, they cost what their outbox may
//! hold, and nobody else hears of it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::support::{
    DEADLINE,
    crowd::{Follower, Gathering, PATIENCE, Pods},
    house::House,
    pod::measured,
    poll::eventually,
    process::Process,
    screen::brief,
    ws::{ABNORMAL, Received, WsClient},
};

const SCREENS: usize = 50;
const SLOW: usize = 5;
/// Said at once: no more than an outbox may hold.
const AT_ONCE: i64 = 50;
/// So often, in all more than an outbox and the kernel's own buffers hold.
const TIMES: usize = 16;
/// As long as a message may be, in letters of four bytes.
const FILLING: &str = "\u{1f389}";
/// What one that reads nothing may cost, and what memory changes by anyway.
const OUTBOX: u64 = 1 << 20;
const NOISE: u64 = 8 << 20;
/// A screen that is too slow for a while.
const TOO_SLOW: u16 = 4008;

/// The most memory that a pod is seen to hold while something goes on.
async fn most_held<T>(pod: &Process, during: impl Future<Output = T>) -> u64 {
    let mut most = 0;
    let watch = async {
        loop {
            most = most.max(pod.resident());
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = watch => {}
        _ = during => {}
    }
    most
}

#[tokio::test]
async fn who_stops_reading_is_put_out_alone_at_a_bounded_cost_and_comes_back() {
    let house = House::start().await;
    let (pod, address) = house.pod(&[]).await;
    let (pods, stage) = (Pods::unknown(1), house.stage());
    pods.set(0, Some(address));
    let id = stage.party(&stage.user().await, "LIVE", true).await;
    let party = Gathering::new(id, &pods);
    let slow = stage.guests(id, SLOW).await;
    let screens = stage.guests(id, SCREENS).await;
    let mut screens: Vec<_> = screens.into_iter().map(|who| Follower::new(who, 0)).collect();
    let filling = FILLING.repeat(2_000);
    let talk = async || {
        for _ in 0..TIMES {
            let enough = party.heard() + SCREENS * usize::try_from(AT_ONCE).unwrap();
            stage.say_many(id, AT_ONCE, &filling).await;
            eventually(PATIENCE, "all have heard it", async || party.heard() == enough).await;
        }
    };
    let words = async {
        eventually(PATIENCE, "all are there", async || {
            measured(&address, "realtime_sessions").await >= SCREENS as f64
        })
        .await;
        let without = most_held(&pod, talk()).await;
        let mut deaf = Vec::new();
        for who in &slow {
            let headers = [("authorization", who.bearer.as_str())];
            let mut socket = WsClient::connect_deaf(address, "/ws", &headers).await.unwrap();
            let resume = json!({ "partyId": id });
            socket.send_json(&json!({ "id": 1, "event": "party:join_live", "data": resume })).await;
            deaf.push(socket);
        }
        let with = most_held(&pod, talk()).await;
        eventually(DEADLINE, "they are put out", async || {
            measured(&address, "realtime_evictions_total").await >= SLOW as f64
                && measured(&address, "realtime_sessions").await <= SCREENS as f64
        })
        .await;
        party.end(&stage).await;
        let more = with.saturating_sub(without);
        println!("{without} bytes without, {with} with {SLOW} that read nothing");
        assert!(more <= SLOW as u64 * OUTBOX + NOISE, "{more} bytes more");
        deaf
    };
    let follow = join_all(screens.iter_mut().map(|screen| screen.follow(&party)));
    let (deaf, _) = tokio::join!(words, follow);
    assert_eq!(measured(&address, "realtime_evictions_total").await, SLOW as f64);

    let events = stage.events(id).await;
    for screen in &screens {
        assert_eq!(screen.seen, events);
        assert_eq!(screen.goodbyes, [], "nobody else is put out");
    }
    // What they have taken is without a hole, and they come back for the rest
    for (socket, who) in deaf.into_iter().zip(slow) {
        let (mut socket, mut taken) = (socket.listen(), Vec::new());
        let code = loop {
            match socket.next(DEADLINE).await {
                Received::Json(frame) if frame["seq"].is_number() => taken.push(brief(&frame)),
                Received::Closed(code) => break code,
                _ => {}
            }
        };
        assert!([TOO_SLOW, ABNORMAL].contains(&code), "{code}");
        let began = taken.first().map_or(0, |first| usize::try_from(first.0).unwrap() - 1);
        assert_eq!(taken, events[began..began + taken.len()]);
        assert!(taken.len() < events.len() / 2, "it has not taken all");
        let mut back = Follower::new(who, 0);
        back.seen = events[..began + taken.len()].to_vec();
        back.follow(&party).await;
        assert_eq!(back.seen, events);
    }
}
