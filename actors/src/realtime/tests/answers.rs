//! Answers that take time: in order, in time, and whatever becomes of the work.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::pod::{PATIENCE, Pod, config, hear, say};
use crate::realtime::*;

#[actix_web::test]
async fn answers_keep_the_order_of_what_they_answer() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    for said in ["one", "wait 80", "two", "wait 20", "wait 1", "three"] {
        say(&mut client, said).await;
    }
    for said in ["one", "wait 80", "two", "wait 20", "wait 1", "three"] {
        assert_eq!(hear(&mut client).await, Ok(said.to_owned()));
    }
    pod.stop().await;
}

#[actix_web::test]
async fn what_waits_behind_a_close_is_not_served() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    for said in ["wait 100", "close last", "follow 0/5"] {
        say(&mut client, said).await;
    }
    assert_eq!(hear(&mut client).await, Ok("wait 100".to_owned()));
    assert_eq!(hear(&mut client).await, Ok("last".to_owned()));
    assert_eq!(hear(&mut client).await, Err(4010));
    assert_eq!(pod.registry.counts().replays, 0, "nobody came in to catch up");
    pod.stop().await;
}

#[actix_web::test]
async fn neither_pings_nor_a_goodbye_wait_for_an_answer() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    say(&mut client, "wait 5000").await;
    let start = Instant::now();
    client.send(Message::Ping("there?".into())).await.unwrap();
    let pong = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(pong, Message::Pong("there?".into()));
    client.close(None).await.unwrap();
    assert_eq!(hear(&mut client).await, Err(1000));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    pod.stop().await;
}

#[actix_web::test]
async fn work_that_fails_or_takes_too_long_is_answered_all_the_same() {
    let pod = Pod::start(Config { answer_deadline: Duration::from_millis(50), ..config() }).await;
    let mut client = pod.connect().await;
    for (said, answer) in [("wait 5000", "late"), ("fail badly", "failed"), ("wait 1", "wait 1")] {
        say(&mut client, said).await;
        assert_eq!(hear(&mut client).await, Ok(answer.to_owned()));
    }
    assert_eq!(pod.clerk.report().restarts, 0, "that hurts nobody else");
    pod.stop().await;
}

#[actix_web::test]
async fn what_comes_while_too_much_waits_is_refused() {
    let pod = Pod::start(Config { waiting_messages: 2, ..config() }).await;
    let mut client = pod.connect().await;
    for said in ["wait 300", "one", "two", "three"] {
        say(&mut client, said).await;
    }
    for said in ["crowded", "wait 300", "one", "two"] {
        assert_eq!(hear(&mut client).await, Ok(said.to_owned()));
    }
    pod.stop().await;
}

#[actix_web::test]
async fn what_waits_is_bounded_in_bytes_too() {
    let pod = Pod::start(Config { waiting_bytes: 7, ..config() }).await;
    let mut client = pod.connect().await;
    for said in ["wait 1000", "four", "more", "one"] {
        say(&mut client, said).await;
    }
    for said in ["crowded", "wait 1000", "four", "one"] {
        assert_eq!(hear(&mut client).await, Ok(said.to_owned()));
    }
    // What has been served makes room
    for said in ["wait 1", "seven!!"] {
        say(&mut client, said).await;
    }
    for said in ["wait 1", "seven!!"] {
        assert_eq!(hear(&mut client).await, Ok(said.to_owned()));
    }
    pod.stop().await;
}

#[cfg(feature = "chaos")]
#[actix_web::test]
async fn a_clerk_that_dies_leaves_nobody_without_an_answer() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    say(&mut client, "wait 5000").await;
    say(&mut client, "wait 2").await;
    // The work has begun when a second client is served
    let mut second = pod.connect().await;
    say(&mut second, "wait 1").await;
    assert_eq!(hear(&mut second).await, Ok("wait 1".to_owned()));
    pod.clerk.inject_panic().await;
    assert_eq!(hear(&mut client).await, Ok("late".to_owned()));
    assert_eq!(hear(&mut client).await, Ok("wait 2".to_owned()));
    pod.stop().await;
}
