//! The cases of Engine.IO's suite, version 4.

use std::time::{Duration, Instant};

use serde_json::json;

use super::peer::{
    ENGINE, Heard, PATIENCE, Polled, SOCKET, Socket, ask, ok, patient, promise, start, text, told, until,
    with_time,
};
use crate::pod::Options;

const INTERVAL: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_millis(200);
/// By how much two clocks may differ that begin at both ends.
const JITTER: Duration = Duration::from_millis(20);

#[tokio::test]
async fn who_opens_a_session_is_told_of_it_and_of_nothing_else() {
    let pod = start(Options::default()).await;
    for path in [ENGINE, SOCKET] {
        let (status, greeting) = ask(&pod, "GET", &format!("{path}?EIO=4&transport=polling"), "").await;
        let mut socket = Socket::open(&pod, &format!("{path}?EIO=4&transport=websocket")).await.unwrap();
        let Heard::Text(other) = socket.next().await else { panic!("no greeting") };
        assert_eq!(status, 200);
        for (greeting, upgrades) in [(greeting, json!(["websocket"])), (other, json!([]))] {
            let mut told = told(&greeting);
            let sid = told.as_object_mut().unwrap().remove("sid").unwrap();
            // 128 bits in base64
            assert!(sid.as_str().unwrap().len() >= 22, "{sid}");
            let expected = json!({
                "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000
            });
            assert_eq!(told, expected, "{path}");
        }
    }
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_handshake_is_refused() {
    let pod = patient().await;
    for path in [ENGINE, SOCKET] {
        for (method, query) in [
            ("GET", "?transport=polling"),
            ("GET", "?EIO=abc&transport=polling"),
            ("GET", "?EIO=3&transport=polling"),
            ("GET", "?EIO=4"),
            ("GET", "?EIO=4&transport=abc"),
            ("GET", "?EIO=4&EIO=4&transport=polling"),
            ("GET", "?EIO=4&transport=polling&sid=unknown"),
            ("GET", ""),
            ("POST", "?EIO=4&transport=polling"),
            ("POST", "?EIO=4&transport=polling&sid=unknown"),
            ("PUT", "?EIO=4&transport=polling"),
            ("DELETE", "?EIO=4&transport=polling"),
            // No upgrade
            ("GET", "?EIO=4&transport=websocket"),
        ] {
            let (status, body) = ask(&pod, method, &format!("{path}{query}"), "").await;
            assert_eq!(status, 400, "{method} {path}{query}: {body}");
            assert!(body.starts_with(r#"{"code":"#), "{method} {path}{query}: {body}");
        }
        for query in [
            "?transport=websocket",
            "?EIO=abc&transport=websocket",
            "?EIO=4",
            "?EIO=4&transport=abc",
            "?EIO=4&transport=websocket&sid=unknown",
        ] {
            let refused = Socket::open(&pod, &format!("{path}{query}")).await.err();
            assert_eq!(refused, Some(400), "{path}{query}");
        }
    }
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn messages_come_back_by_requests() {
    let pod = patient().await;
    let session = Polled::open(&pod, ENGINE).await;
    for (name, payload) in [
        ("one plain text", "4hello"),
        ("several", "4test1\x1e4test2\x1e4test3"),
        ("text and binary", "4hello\x1ebAQIDBA=="),
        ("an empty one", "4"),
        ("not ASCII", "4\u{20ac}\u{1f389}"),
    ] {
        session.say(payload).await;
        assert_eq!(session.get().await, ok(payload), "{name}");
    }
    let waiting = session.begin_get().await;
    session.say("4for who waits").await;
    assert_eq!(waiting.finish().await, ok("4for who waits"));
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn messages_come_back_on_a_socket() {
    let pod = patient().await;
    let mut socket = Socket::greeted(&pod, ENGINE).await;
    socket.say("4hello").await;
    assert_eq!(socket.next().await, text("4hello"));
    socket.say_binary(&[1, 2, 3, 4]).await;
    assert_eq!(socket.next().await, Heard::Binary(vec![1, 2, 3, 4]));
    let long = ["4", &"x".repeat(900_000)].concat();
    socket.say(&long).await;
    assert!(socket.next().await == text(&long));
    socket.say("abc").await;
    socket.is_closed().await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn what_ends_a_session_of_requests() {
    let pod = patient().await;
    for packet in ["abc", "", "4a\x1e", "0", "2", "2probe", "5", "7", "b!"] {
        let session = Polled::open(&pod, ENGINE).await;
        assert_eq!(session.post(packet).await.0, 400, "{packet:?}");
        assert_eq!(session.get().await.0, 400, "{packet:?}");
        assert_eq!(session.post("4a").await.0, 400, "{packet:?}");
    }
    // Two GETs: whichever comes second is refused, and the other is let go
    let session = Polled::open(&pod, ENGINE).await;
    let (first, second) = tokio::join!(session.get(), session.get());
    let (first, second) = if first.0 == 200 { (first, second) } else { (second, first) };
    assert_eq!((first, second.0), (ok("1"), 400));
    assert_eq!(session.get().await.0, 400);
    // A GET that is given up
    let session = Polled::open(&pod, ENGINE).await;
    drop(session.begin_get().await);
    until("it is over", async || session.is_over().await).await;
    // A goodbye
    let session = Polled::open(&pod, ENGINE).await;
    let waiting = session.begin_get().await;
    session.say("1").await;
    let (status, body) = waiting.finish().await;
    // It may have come too late to wait
    assert!((status, body.as_str()) == (200, "6") || status == 400, "{status} {body}");
    assert_eq!(session.get().await.0, 400);
    assert_eq!(session.post("4a").await.0, 400);
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn a_goodbye_on_a_socket_ends_it() {
    let pod = patient().await;
    let mut socket = Socket::greeted(&pod, ENGINE).await;
    socket.say("1").await;
    socket.is_closed().await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_pinged_is_pinged_after_an_interval_and_never_at_once() {
    let pod = start(Options { answer_within: PATIENCE, ..with_time() }).await;
    let mut before = Instant::now();
    let session = Polled::open(&pod, ENGINE).await;
    for _ in 0..3 {
        assert_eq!(session.get().await, ok("2"));
        assert!(before.elapsed() + JITTER >= INTERVAL, "{:?}", before.elapsed());
        before = Instant::now();
        session.say("3").await;
    }
    let mut before = Instant::now();
    let mut socket = Socket::greeted(&pod, ENGINE).await;
    for _ in 0..3 {
        assert_eq!(socket.next().await, text("2"));
        assert!(before.elapsed() + JITTER >= INTERVAL, "{:?}", before.elapsed());
        before = Instant::now();
        socket.say("3").await;
    }
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn who_does_not_answer_a_ping_is_over() {
    let pod = start(Options { connect_within: PATIENCE, ..Options::default() }).await;
    for path in [ENGINE, SOCKET] {
        let before = Instant::now();
        let session = Polled::open(&pod, path).await;
        // What is said besides is no answer
        until("it is over", async || session.is_over().await).await;
        assert!(before.elapsed() >= INTERVAL + TIMEOUT, "{:?}", before.elapsed());
        assert_eq!(session.get().await.0, 400);
        let before = Instant::now();
        let mut socket = Socket::greeted(&pod, path).await;
        assert_eq!(socket.next().await, text("2"));
        assert_eq!(socket.next().await, Heard::Closed);
        assert!(before.elapsed() >= INTERVAL + TIMEOUT, "{:?}", before.elapsed());
    }
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn a_socket_takes_over_from_requests() {
    let pod = patient().await;
    let session = Polled::open(&pod, ENGINE).await;
    let waiting = session.begin_get().await;
    let mut socket = Socket::probing(&session).await;
    socket.say("2probe").await;
    assert_eq!(socket.next().await, text("3probe"));
    assert_eq!(waiting.finish().await, ok("6"));
    assert_eq!(session.get().await, ok("6"), "requests are to end");
    socket.say("5").await;
    socket.say("4hello").await;
    assert_eq!(socket.next().await, text("4hello"));
    // Requests, and another socket, are not heard any more
    assert_eq!(session.get().await.0, 400);
    assert_eq!(session.post("4a").await.0, 400);
    let mut second = Socket::probing(&session).await;
    assert_eq!(second.next().await, Heard::Closed);
    socket.say("4still here").await;
    assert_eq!(socket.next().await, text("4still here"));
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn what_waits_while_a_socket_takes_over_comes_once_and_in_order() {
    let pod = patient().await;
    let session = Polled::open(&pod, ENGINE).await;
    session.say("41\x1e42\x1ebAQID").await;
    let mut socket = Socket::probing(&session).await;
    socket.say("2probe").await;
    assert_eq!(socket.next().await, text("3probe"));
    session.say("43").await;
    socket.say("5").await;
    socket.say("44").await;
    socket.hears(&["41", "42"]).await;
    assert_eq!(socket.next().await, Heard::Binary(vec![1, 2, 3]));
    socket.hears(&["43", "44"]).await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_with_half_a_body_hurts_its_own_session_alone() {
    let pod = patient().await;
    let (session, other) = (Polled::open(&pod, ENGINE).await, Polled::open(&pod, ENGINE).await);
    let target = format!("{ENGINE}?EIO=4&transport=polling&sid={}", session.sid);
    drop(promise(&pod, "POST", &target, 10, "4he").await);
    until("it is over", async || session.is_over().await).await;
    other.say("4hello").await;
    assert_eq!(other.get().await, ok("4hello"));
    pod.stop().await.unwrap();
}
