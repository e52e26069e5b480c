//! Sockets as clients meet them.

mod answers;
mod client;
mod feed;
mod order;
pub(super) mod pod;
#[cfg(feature = "chaos")]
mod pods;
mod reads;
mod rooms;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use self::pod::{PATIENCE, Pod, block, config, flood, hear, say, until};
use super::*;

#[actix_web::test]
async fn what_is_sent_is_answered_in_order() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    for n in 0..200 {
        client.feed(Message::text(n.to_string())).await.unwrap();
    }
    client.flush().await.unwrap();
    for n in 0..200 {
        assert_eq!(hear(&mut client).await, Ok(n.to_string()));
    }
    client.send(Message::Ping("are you there".into())).await.unwrap();
    let pong = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(pong, Message::Pong("are you there".into()));
    pod.stop().await;
}

#[actix_web::test]
async fn a_client_that_says_goodbye_is_answered_and_gone() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    let start = Instant::now();
    client.close(None).await.unwrap();
    assert_eq!(hear(&mut client).await, Err(1000));
    // The server closes the connection without waiting for anything
    assert!(timeout(PATIENCE, client.next()).await.unwrap().is_none());
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    until("it has left", || pod.registry.counts().open == 0).await;
    pod.stop().await;
}

#[actix_web::test]
async fn a_message_of_64_kib_is_served_and_a_longer_one_closes_with_1009() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    client.send(Message::binary(vec![b'x'; 64 * 1024])).await.unwrap();
    let echo = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(echo.len(), 64 * 1024);
    client.send(Message::binary(vec![b'x'; 65 * 1024])).await.unwrap();
    assert_eq!(hear(&mut client).await, Err(1009));
    pod.stop().await;
}

#[actix_web::test]
async fn the_header_of_a_frame_that_is_too_long_is_enough_to_close() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect_raw().await;
    let mut header = vec![0x82, 0xff];
    header.extend_from_slice(&(1_u64 << 40).to_be_bytes());
    header.extend_from_slice(&[0; 4]);
    client.write_all(&header).await.unwrap();
    let mut close = [0; 4];
    timeout(PATIENCE, client.read_exact(&mut close)).await.unwrap().unwrap();
    assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1009));
    pod.stop().await;
}

#[actix_web::test]
async fn what_is_no_websocket_frame_ends_its_session_alone() {
    let pod = Pod::start(config()).await;
    let mut bystander = pod.connect().await;
    for (bytes, code) in [
        (vec![0x81, 0x01, b'x'], 1002_u16),
        (vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x80, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
    ] {
        let mut client = pod.connect_raw().await;
        client.write_all(&bytes).await.unwrap();
        let mut close = [0; 4];
        timeout(PATIENCE, client.read_exact(&mut close)).await.unwrap().unwrap();
        assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, code), "{bytes:x?}");
    }
    say(&mut bystander, "still here").await;
    assert_eq!(hear(&mut bystander).await, Ok("still here".to_owned()));
    pod.stop().await;
}

#[actix_web::test]
async fn a_protocol_that_panics_ends_its_session_alone() {
    let pod = Pod::start(config()).await;
    let (mut client, mut bystander) = (pod.connect().await, pod.connect().await);
    say(&mut client, "panic as a bug would").await;
    assert_eq!(hear(&mut client).await, Err(1011));
    say(&mut bystander, "still here").await;
    assert_eq!(hear(&mut bystander).await, Ok("still here".to_owned()));
    until("it has left", || pod.registry.counts().open == 1).await;
    pod.stop().await;
}

#[actix_web::test]
async fn nothing_follows_a_close() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    say(&mut client, "close last").await;
    assert_eq!(hear(&mut client).await, Ok("last".to_owned()));
    assert_eq!(hear(&mut client).await, Err(4010));
    pod.stop().await;
}

#[actix_web::test]
async fn a_client_that_reads_nothing_is_cut_and_costs_nobody_anything() {
    const SIZE: usize = 8 * 1024;
    let pod = Pod::start(config()).await;
    let mut sleeper = pod.connect_raw().await;
    until("it is in", || pod.registry.counts().open == 1).await;
    let entry = Arc::clone(pod.registry.entries().first().unwrap());
    let mut bystander = pod.connect().await;

    block(&pod, &entry, SIZE).await;
    say(&mut bystander, "are you slower now?").await;
    assert_eq!(hear(&mut bystander).await, Ok("are you slower now?".to_owned()));
    flood(&entry, SIZE);
    let full = Instant::now();
    assert_eq!(entry.outbox().depth(), (0, 0), "only the close is left");

    drop(entry);
    until("it is cut", || pod.registry.counts().open == 1).await;
    assert!(full.elapsed() >= Duration::from_millis(1500), "{:?}", full.elapsed());
    assert!(full.elapsed() <= Duration::from_millis(2500), "{:?}", full.elapsed());
    let counts = pod.registry.counts();
    assert_eq!((counts.evicted, counts.cut), (1, 1));

    // What the server held beside the outbox is what it took and the kernel did not
    let mut received = Vec::new();
    _ = timeout(PATIENCE, sleeper.read_to_end(&mut received)).await.unwrap();
    let taken = usize::try_from(counts.delivered).unwrap() * SIZE;
    assert!(taken <= received.len() + 96 * 1024, "{taken} taken, {} received", received.len());

    say(&mut bystander, "still here").await;
    assert_eq!(hear(&mut bystander).await, Ok("still here".to_owned()));
    pod.stop().await;
}

#[actix_web::test]
async fn a_client_that_reads_too_slowly_is_closed_with_4008() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    until("it is in", || pod.registry.counts().open == 1).await;
    let entry = Arc::clone(pod.registry.entries().first().unwrap());
    flood(&entry, 16 * 1024);
    assert_eq!(hear(&mut client).await, Err(4008));
    drop(entry);
    until("it has left", || pod.registry.counts().open == 0).await;
    assert_eq!(pod.registry.counts().evicted, 1);
    pod.stop().await;
}

#[actix_web::test]
async fn a_peer_that_takes_no_notice_of_its_close_is_cut() {
    let pod = Pod::start(Config { close_within: Duration::from_millis(200), ..config() }).await;
    let mut client = pod.connect_raw().await;
    until("it is in", || pod.registry.counts().open == 1).await;
    pod.registry.entries().first().unwrap().outbox().close(Close::new(4010, "removed"), Instant::now());
    let start = Instant::now();
    let mut close = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut close)).await.unwrap().unwrap();
    assert_eq!(close.get(..4), Some([0x88, 9, 15, 170].as_slice()));
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(pod.registry.counts().cut, 1);
    pod.stop().await;
}

#[actix_web::test]
async fn the_hub_tells_how_old_its_last_sweep_is() {
    let pod = Pod::start(config()).await;
    until("it sweeps", || pod.registry.last_sweep().is_some()).await;
    let age = pod.hub.call(LastSweep, PATIENCE).await.unwrap().unwrap();
    assert!(age < PATIENCE, "{age:?}");
    pod.stop().await;
}

#[cfg(feature = "chaos")]
#[actix_web::test]
async fn the_hub_may_die_while_sockets_stay_open() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    until("it sweeps", || pod.registry.last_sweep().is_some()).await;
    pod.hub.inject_panic().await;
    until("it is restarted", || pod.hub.report().restarts == 1).await;
    until("it runs", || pod.hub.status().state == crate::kernel::State::Running).await;
    let restarted = Instant::now();
    until("it sweeps again", || pod.registry.last_sweep().is_some_and(|at| at > restarted)).await;
    say(&mut client, "still here").await;
    assert_eq!(hear(&mut client).await, Ok("still here".to_owned()));
    pod.stop().await;
}

#[actix_web::test]
async fn a_drain_tells_and_closes_all_over_a_while_and_lets_nobody_in() {
    let pod = Pod::start(config()).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(pod.connect().await);
    }
    let start = Instant::now();
    let drain = pod.registry.drain(Duration::from_millis(300), PATIENCE);
    let hear_all = async {
        let mut times = Vec::new();
        for client in &mut clients {
            let notice = hear(client).await.unwrap();
            times.push(notice.strip_prefix("draining ").unwrap().parse::<u64>().unwrap());
            assert_eq!(hear(client).await, Err(1012));
        }
        times
    };
    let (drained, mut times) = tokio::join!(drain, hear_all);
    assert_eq!(drained, Drained { left: 0 });
    assert!(start.elapsed() >= Duration::from_millis(280), "{:?}", start.elapsed());
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), 20, "they come back at different times: {times:?}");
    assert!(connect_async(format!("ws://{}/ws", pod.address)).await.is_err());
    assert_eq!(pod.registry.counts().refused, 1);
    pod.stop().await;
}

#[actix_web::test]
async fn a_drain_ends_at_its_deadline_and_says_what_is_left() {
    let pod = Pod::start(Config { close_within: PATIENCE, ..config() }).await;
    let _sleeper = pod.connect_raw().await;
    until("it is in", || pod.registry.counts().open == 1).await;
    let entry = Arc::clone(pod.registry.entries().first().unwrap());
    block(&pod, &entry, 16 * 1024).await;
    let drained = pod.registry.drain(Duration::ZERO, Duration::from_millis(200)).await;
    assert_eq!(drained, Drained { left: 1 });
    pod.stop().await;
}

#[actix_web::test]
async fn who_does_not_say_who_they_are_is_closed_with_4001() {
    let pod = Pod::start(Config { authenticate_within: Duration::from_millis(100), ..config() }).await;
    let mut client = pod.connect().await;
    assert_eq!(hear(&mut client).await, Err(4001));
    pod.stop().await;
}

#[actix_web::test]
async fn an_identity_is_warned_of_before_it_expires() {
    let pod = Pod::start(Config { warn_before: Duration::from_millis(500), ..config() }).await;
    let mut client = pod.connect().await;
    for said in ["welcome", "expiring"] {
        if said == "welcome" {
            say(&mut client, "identify 1").await;
        }
        assert_eq!(hear(&mut client).await, Ok(said.to_owned()));
    }
    // Identified anew, it is warned anew
    say(&mut client, "identify 1").await;
    assert_eq!(hear(&mut client).await, Ok("welcome".to_owned()));
    assert_eq!(hear(&mut client).await, Ok("expiring".to_owned()));
    assert_eq!(hear(&mut client).await, Err(4001));
    pod.stop().await;
}

#[actix_web::test]
async fn a_subject_with_too_many_sessions_is_refused_one_more() {
    let pod = Pod::start(Config { sessions_per_subject: 1, warn_before: Duration::ZERO, ..config() }).await;
    let (mut first, mut second, mut other) = (pod.connect().await, pod.connect().await, pod.connect().await);
    say(&mut first, "identify 1").await;
    assert_eq!(hear(&mut first).await, Ok("welcome".to_owned()));
    say(&mut second, "identify 1").await;
    assert_eq!(hear(&mut second).await, Err(4009));
    say(&mut other, "identify 2").await;
    assert_eq!(hear(&mut other).await, Ok("welcome".to_owned()));
    drop(first);
    until("the first has left", || pod.registry.counts().open == 1).await;
    let mut third = pod.connect().await;
    say(&mut third, "identify 1").await;
    assert_eq!(hear(&mut third).await, Ok("welcome".to_owned()));
    pod.stop().await;
}

#[actix_web::test]
async fn an_address_may_not_hold_many_sessions_that_nobody_identifies() {
    let pod = Pod::start(Config { unauthenticated_per_address: 1, ..config() }).await;
    let mut first = pod.connect().await;
    let url = format!("ws://{}/ws", pod.address);
    assert!(connect_async(&url).await.is_err());
    say(&mut first, "identify 1").await;
    assert_eq!(hear(&mut first).await, Ok("welcome".to_owned()));
    assert!(connect_async(&url).await.is_ok());
    pod.stop().await;
}

#[actix_web::test]
async fn a_peer_that_answers_no_ping_is_cut_and_one_that_does_stays() {
    let pod = Pod::start(Config {
        ping_every: Duration::from_millis(300),
        answer_within: Duration::from_millis(250),
        ..config()
    })
    .await;
    let mut alive = pod.connect().await;
    let mut dead = pod.connect_raw().await;
    let listen = async {
        let mut pings = 0;
        while pings < 4 {
            match timeout(PATIENCE, alive.next()).await.unwrap().unwrap().unwrap() {
                Message::Ping(_) => pings += 1,
                other => panic!("{other:?}"),
            }
        }
    };
    let wait = async {
        let mut heard = Vec::new();
        _ = timeout(PATIENCE, dead.read_to_end(&mut heard)).await.unwrap();
    };
    tokio::join!(listen, wait);
    assert_eq!(pod.registry.counts().lost, 1);
    say(&mut alive, "still here").await;
    while !matches!(hear(&mut alive).await, Ok(text) if text == "still here") {}
    pod.stop().await;
}
