//! What a crowd costs: how soon each of 1,000 screens hears an event, beside the same with five that read nothing; and
//! 10,000 sockets that come back at once after a cut.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and ends when something is wrong"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rand::RngExt as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    runtime,
    sync::watch,
    time::{sleep, timeout},
};
use uuid::Uuid;

use support::{
    client::Client,
    crowd::{AGAIN, paced},
    house::House,
    pod::measured,
    poll::eventually,
    process::{Process, spent},
    stage::Somebody,
    ws::{Received, WsClient},
};

const SCREENS: usize = 1_000;
const SLOW: usize = 5;
/// From one message to the next.
const PACE: Duration = Duration::from_millis(50);
const TURN: Duration = Duration::from_secs(6);
const TURNS: usize = 3;
/// As much as the kernel takes for one that reads nothing, in answers that it does not read.
const ANSWERS: usize = 80;
const QUESTION: usize = 60_000;
/// At once, in another party, where only those are: more than an outbox takes.
const FLOOD: i64 = 1_100;
/// How long one stays that reads nothing.
const DEAFNESS: Duration = Duration::from_secs(3);

const SOCKETS: usize = 10_000;
/// One takes 10,000 sessions, and two descriptors for each.
const PODS: usize = 2;
const MISSED: i64 = 20;
const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        slow().await;
        for parties in [100, 1] {
            returns(parties).await;
        }
    });
}

/// How soon screens hear what is said, without those that read nothing and with them, in turns.
async fn slow() {
    let house = House::start().await;
    let (pod, address) = house.pod(&[]).await;
    let stage = house.stage();
    let party = stage.party(&stage.user().await, "LIVE", true).await;
    let flooded = stage.party(&stage.user().await, "LIVE", true).await;
    let talker = stage.guest(party).await;
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let who = stage.user().await;
        stage.place(party, &who, "attendee", "in", "GOING").await;
        stage.place(flooded, &who, "attendee", "in", "GOING").await;
        slow.push(who);
    }
    let screens = stage.guests(party, SCREENS).await;
    let (began, delays, is_over) = (Instant::now(), RefCell::new(Vec::new()), watch::Sender::new(false));
    let watch = async |who: &Somebody| {
        let (mut socket, mut is_over) = (join(address, who, party).await, is_over.subscribe());
        loop {
            let received = tokio::select! {
                received = socket.next(PATIENCE) => received,
                _ = is_over.changed() => return,
            };
            let Received::Json(frame) = received else { panic!("a screen was put out: {received:?}") };
            if let Some(said) = frame["data"]["content"].as_str() {
                let said = Duration::from_nanos(said.parse().unwrap());
                delays.borrow_mut().push(began.elapsed().saturating_sub(said));
            }
        }
    };
    let turn = async |with: bool| {
        let talk = async {
            let (client, mut pace, until) = (Client::new(), paced(PACE), Instant::now() + TURN);
            while Instant::now() < until {
                pace.tick().await;
                let url = format!("http://{address}/api/v1/parties/{party}/chat/messages");
                let body = json!({ "content": began.elapsed().as_nanos().to_string() });
                let said = client.post(url).header("authorization", &talker.bearer).json(&body).send().await;
                assert_eq!(said.unwrap().status(), StatusCode::CREATED);
            }
            // What is on its way arrives
            sleep(Duration::from_secs(1)).await;
        };
        let deaf = join_all(slow.iter().map(|who| be_deaf(address, who, [party, flooded])));
        let flood = async {
            let mut pace = paced(DEAFNESS / 3);
            loop {
                pace.tick().await;
                stage.say_many(flooded, FLOOD, "nobody reads this").await;
            }
        };
        tokio::select! {
            () = talk => {}
            _ = deaf, if with => {}
            () = flood, if with => {}
        }
        let mut delays = delays.take();
        delays.sort_unstable();
        let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
        (at(50), at(99), delays.len())
    };
    let measure = async {
        eventually(PATIENCE, "all are there", async || {
            measured(&address, "realtime_sessions").await >= SCREENS as f64
        })
        .await;
        _ = turn(false).await;
        let (mut without, mut with, mut most) = (Vec::new(), Vec::new(), 0);
        for _ in 0..TURNS {
            without.push(turn(false).await);
            with.push(turn(true).await);
            most = most.max(pod.resident());
        }
        is_over.send_replace(true);
        let evicted = measured(&address, "realtime_evictions_total").await;
        for (name, turns) in [("without", &mut without), ("with", &mut with)] {
            turns.sort_by_key(|turn| turn.1);
            let (p50, p99, count) = turns[TURNS / 2];
            println!(
                "{SCREENS} screens, {name:>7} {SLOW} that read nothing: p50 {p50:.1?}, p99 {p99:.1?} of {count}"
            );
        }
        let ratio = with[TURNS / 2].1.as_secs_f64() / without[TURNS / 2].1.as_secs_f64();
        println!(
            "p99 with by p99 without   {ratio:.2} (target: <= 1.5); {evicted} put out; {most} bytes resident"
        );
    };
    tokio::join!(measure, join_all(screens.iter().map(watch)));
}

/// Follows both parties, reads nothing, and comes again.
async fn be_deaf(pod: SocketAddr, who: &Somebody, parties: [Uuid; 2]) {
    loop {
        let headers = [("authorization", who.bearer.as_str())];
        let Ok(mut socket) = WsClient::connect_deaf(pod, "/ws", &headers).await else { continue };
        for party in parties {
            let data = json!({ "partyId": party });
            socket.try_send_json(&json!({ "id": 1, "event": "party:join_live", "data": data })).await;
        }
        let question = json!({ "id": 2, "event": "ping", "data": "x".repeat(QUESTION) });
        let ask = async {
            let mut pace = paced(DEAFNESS / 3 / u32::try_from(ANSWERS).unwrap());
            for _ in 0..ANSWERS {
                pace.tick().await;
                socket.try_send_json(&question).await;
            }
        };
        // Whose answers are not taken is not read any more, and has to wait
        _ = timeout(DEAFNESS / 2, ask).await;
        sleep(DEAFNESS / 2).await;
    }
}

/// Somebody's socket, in the party.
async fn join(pod: SocketAddr, who: &Somebody, party: Uuid) -> WsClient {
    loop {
        let refused = Cell::default();
        if let Some((socket, _)) = enter(pod, who, party, None, &refused).await {
            return socket;
        }
        sleep(AGAIN).await;
    }
}

/// Comes in, unless there is no room now. Gives the socket, and how far it has come and in which history.
async fn enter(
    pod: SocketAddr,
    who: &Somebody,
    party: Uuid,
    known: Option<&(i64, Value)>,
    refused: &Cell<usize>,
) -> Option<(WsClient, (i64, Value))> {
    let headers = [("authorization", who.bearer.as_str())];
    let mut socket = match WsClient::connect(pod, "/ws", &headers).await {
        Ok(socket) => socket,
        Err(_) => {
            refused.set(refused.get() + 1);
            return None;
        }
    };
    let mut data = json!({ "partyId": party });
    if let Some((since, epoch)) = known {
        data["since"] = json!(since);
        data["epoch"] = epoch.clone();
    }
    let mut last = known.map(|(since, _)| *since);
    loop {
        socket.try_send_json(&json!({ "id": 1, "event": "party:join_live", "data": data })).await;
        loop {
            let Received::Json(frame) = socket.next(PATIENCE).await else {
                refused.set(refused.get() + 1);
                return None;
            };
            if let Some(seq) = frame["seq"].as_i64() {
                assert_eq!(seq, last.unwrap() + 1, "in order, once, and none left out");
                last = Some(seq);
            } else if let Some(code) = frame["error"]["code"].as_str() {
                assert_eq!(code, "UNAVAILABLE");
                refused.set(refused.get() + 1);
                sleep(jittered()).await;
                break;
            } else if frame["ack"] == 1 {
                let seq = frame["data"]["seq"].as_i64().unwrap();
                assert_eq!(seq, last.unwrap_or(seq));
                return Some((socket, (seq, frame["data"]["epoch"].clone())));
            }
        }
    }
}

/// As clients wait that do not all want to come at once.
fn jittered() -> Duration {
    Duration::from_millis(rand::rng().random_range(100..1_000))
}

/// All sockets are cut and come back at once, to `parties` parties.
async fn returns(parties: usize) {
    let mut house = House::start().await;
    let mut pods = Vec::new();
    for _ in 0..PODS {
        pods.push(house.pod(&[]).await);
    }
    let stage = house.stage();
    let (mut sockets, mut missed) = (Vec::new(), Vec::new());
    for _ in 0..parties {
        let party = stage.party(&stage.user().await, "LIVE", true).await;
        missed.push(party);
        sockets.extend(stage.guests(party, SOCKETS / parties).await.into_iter().map(|who| (party, who)));
    }
    let (there, refused, phase) = (Cell::new(0), Cell::new(0), watch::Sender::new(Phase::Come));
    let life = async |nth: usize, party: Uuid, who: &Somebody| {
        let (pod, mut phase, mut known) = (pods[nth % PODS].1, phase.subscribe(), None);
        while *phase.borrow() != Phase::End {
            let Some((mut socket, now)) = enter(pod, who, party, known.as_ref(), &refused).await else {
                sleep(jittered()).await;
                continue;
            };
            known = Some(now);
            there.set(there.get() + 1);
            tokio::select! {
                _ = phase.wait_for(|phase| *phase != Phase::Come) => {}
                () = idle(&mut socket) => panic!("a socket was closed"),
            }
            drop(socket);
            _ = phase.wait_for(|phase| *phase != Phase::Cut).await;
        }
    };
    let measure = async {
        come(&there, SOCKETS).await;
        println!("{SOCKETS} sockets in {parties:>3} parties: there, {} refusals on the way", refused.take());
        there.set(0);
        phase.send_replace(Phase::Cut);
        gone(&pods).await;
        for party in &missed {
            stage.say_many(*party, MISSED, "missed").await;
        }
        let (began, own, postgres) = (Instant::now(), took(&pods), house.postgres.spent());
        phase.send_replace(Phase::Come);
        come(&there, SOCKETS).await;
        let wall = began.elapsed();
        let each = |time: Duration| time.as_secs_f64() * 1_000.0 / SOCKETS as f64;
        println!(
            "  all are back after {wall:.1?}, each with {MISSED} events, {} refusals on the way",
            refused.take()
        );
        let (own, postgres) = (each(took(&pods) - own), each(house.postgres.spent() - postgres));
        println!("  of the processor {own:.3} ms a join in the pods, {postgres:.3} in PostgreSQL");
        phase.send_replace(Phase::End);
    };
    let lives = sockets.iter().enumerate().map(|(nth, (party, who))| life(nth, *party, who));
    tokio::join!(measure, join_all(lives));
}

/// What all sockets do.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Come, or come back, and stay.
    Come,
    /// Are away.
    Cut,
    /// Go.
    End,
}

async fn idle(socket: &mut WsClient) {
    while let Received::Json(_) = socket.next(PATIENCE).await {}
}

async fn come(there: &Cell<usize>, all: usize) {
    eventually(PATIENCE, "all are there", async || there.get() == all).await;
}

async fn gone(pods: &[(Process, SocketAddr)]) {
    for (_, pod) in pods {
        eventually(PATIENCE, "the pod has seen the cut", async || {
            measured(pod, "realtime_sessions").await < 1.0
        })
        .await;
    }
}

fn took(pods: &[(Process, SocketAddr)]) -> Duration {
    pods.iter().map(|(pod, _)| spent(pod.id())).sum()
}
