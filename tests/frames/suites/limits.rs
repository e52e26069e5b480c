//! How much comes at once, and how much may.

use std::time::{Duration, Instant};

use super::peer::{ENGINE, Heard, Polled, SOCKET, Socket, ok, patient};

/// How much longer than milliseconds it may take on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_burst_comes_in_order_and_sixteen_at_most_at_once() {
    let pod = patient().await;
    let session = Polled::open(&pod, ENGINE).await;
    let burst: Vec<_> = (0..500).map(|nth| format!("4{nth}")).collect();
    session.say(&burst.join("\x1e")).await;
    let mut heard = Vec::new();
    while heard.len() < burst.len() {
        let body = session.hear().await;
        let packets: Vec<_> = body.split('\x1e').map(str::to_owned).collect();
        assert!(packets.len() <= 16, "{}", packets.len());
        heard.extend(packets);
    }
    assert_eq!(heard, burst);
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_is_no_longer_than_a_payload_may_be() {
    let pod = patient().await;
    let session = Polled::open(&pod, ENGINE).await;
    let long = ["4", &"x".repeat(400_000)].concat();
    for _ in 0..5 {
        session.say(&long).await;
    }
    let mut heard = 0;
    while heard < 5 {
        let body = session.hear().await;
        assert!(body.len() <= 1_000_000, "{}", body.len());
        assert!(body.split('\x1e').all(|packet| packet == long));
        heard += body.split('\x1e').count();
    }
    assert_eq!(heard, 5);
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn a_payload_is_as_long_as_may_be_and_no_longer() {
    let pod = patient().await;
    let longest = ["4", &"x".repeat(999_999)].concat();
    let session = Polled::open(&pod, ENGINE).await;
    session.say(&longest).await;
    assert!(session.get().await == ok(&longest));
    let began = Instant::now();
    let (status, _) = session.post(&format!("{longest}x")).await;
    // Whoever still writes may only see the connection end
    assert!(status == 413 || status == 0, "{status}");
    assert_eq!(session.get().await.0, 400);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    let mut socket = Socket::greeted(&pod, ENGINE).await;
    socket.say(&longest).await;
    assert!(socket.next().await == Heard::Text(longest.clone()));
    // It may be cut before all is written
    let too_long = format!("{longest}x");
    socket.say(&too_long).await;
    socket.is_closed().await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn three_hundred_thousand_packets_and_a_hundred_thousand_arrays_are_an_error_at_once() {
    let pod = patient().await;
    let tiny = vec!["4"; 300_000].join("\x1e");
    let nested = format!("42[\"message\",{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    for (path, payload) in [(ENGINE, &tiny), (SOCKET, &tiny), (SOCKET, &nested)] {
        let session = Polled::open(&pod, path).await;
        if path == SOCKET {
            session.say("40").await;
            assert!(session.hear().await.ends_with("[\"auth\",{}]"));
        }
        let began = Instant::now();
        session.post(payload).await;
        let (status, body) = session.get().await;
        assert!(status == 400 || body == "1", "{status} {body}");
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    }
    let mut socket = Socket::greeted(&pod, SOCKET).await;
    socket.say("40").await;
    assert!(matches!(socket.next().await, Heard::Text(answer) if answer.starts_with("40")));
    socket.hears(&[r#"42["auth",{}]"#]).await;
    let began = Instant::now();
    socket.say(&nested).await;
    socket.is_closed().await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    pod.stop().await.unwrap();
}
