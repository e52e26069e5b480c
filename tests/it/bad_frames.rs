//! Bad frames on a real socket of the binary: each is refused once, abuse ends its session alone, and nobody else notices.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{interval, sleep};
use tokio_tungstenite::tungstenite::Error;

use crate::support::{
    DEADLINE,
    house::House,
    screen::{Screen, say},
    stage::{Somebody, ask},
    ws::{Received, WsClient},
};

/// Refused frames that a session may send within ten seconds.
const BORNE: usize = 50;

async fn socket(pod: std::net::SocketAddr, who: &Somebody) -> WsClient {
    WsClient::connect(pod, "/ws", &[("authorization", &who.bearer)]).await.unwrap()
}

async fn json_of(socket: &mut WsClient) -> Value {
    match socket.next(DEADLINE).await {
        Received::Json(frame) => frame,
        other => panic!("a frame is expected, not {other:?}"),
    }
}

/// Everything that was sent up to now has been answered: that is the next frame.
async fn is_next(socket: &mut WsClient, number: u64) {
    socket.send_json(&json!({ "id": number, "event": "ping", "data": "still here" })).await;
    assert_eq!(json_of(socket).await, json!({ "ack": number, "data": "still here" }));
}

/// A JSON text nested that deep.
fn nested(depth: usize) -> String {
    // The frame's own object is one
    format!(r#"{{"id":9,"event":"ping","data":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))
}

#[tokio::test]
async fn a_bad_client_hurts_nobody() {
    let house = House::start().await;
    let (process, pod) = house.pod(&[]).await;
    let stage = house.stage();
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (guest, bad) = (stage.guest(party).await, stage.guest(party).await);
    let mut bystander = Screen::of(&pod, &guest).await;
    bystander.join(party).await;

    // Each is refused once: under its number if it had one, else by an event
    let mut client = socket(pod, &bad).await;
    let garbage = [
        (String::new(), None, "MALFORMED_BODY"),
        ("garbage".to_owned(), None, "MALFORMED_BODY"),
        ("{".to_owned(), None, "MALFORMED_BODY"),
        ("[1,2]".to_owned(), None, "MALFORMED_BODY"),
        ("null".to_owned(), None, "MALFORMED_BODY"),
        ("{}".to_owned(), None, "MALFORMED_BODY"),
        (r#"{"id":1}"#.to_owned(), Some(1), "MALFORMED_BODY"),
        (r#"{"id":-1,"event":"ping"}"#.to_owned(), None, "MALFORMED_BODY"),
        (r#"{"id":2,"event":7}"#.to_owned(), Some(2), "MALFORMED_BODY"),
        (r#"{"id":3,"event":"no:such_event","data":{}}"#.to_owned(), Some(3), "NOT_FOUND"),
        (r#"{"event":"no:such_event"}"#.to_owned(), None, "NOT_FOUND"),
        (r#"{"id":4,"event":"party:join_live"}"#.to_owned(), Some(4), "VALIDATION_ERROR"),
        (r#"{"event":"party:join_live","data":{"partyId":"x"}}"#.to_owned(), None, "VALIDATION_ERROR"),
        (r#"{"id":5,"event":"chat:message","data":[]}"#.to_owned(), Some(5), "VALIDATION_ERROR"),
        (r#"{"id":6,"event":"auth","data":{"token":"x.y.z"}}"#.to_owned(), Some(6), "UNAUTHENTICATED"),
        (nested(33), Some(9), "MALFORMED_BODY"),
        (nested(30_000), Some(9), "MALFORMED_BODY"),
    ];
    let refused = garbage.len() + 1;
    for (frame, id, code) in garbage {
        client.send_text(&frame).await;
        let answer = json_of(&mut client).await;
        let shown = &frame[..frame.len().min(80)];
        match id {
            Some(id) => {
                assert_eq!((&answer["ack"], &answer["error"]["code"]), (&json!(id), &json!(code)), "{shown}");
            }
            None => {
                assert_eq!(
                    (&answer["event"], &answer["data"]["code"]),
                    (&json!("error"), &json!(code)),
                    "{shown}"
                );
            }
        }
        // And never both
        is_next(&mut client, 77).await;
    }
    client.send_binary(b"\0\x01\x02").await;
    assert_eq!(json_of(&mut client).await["data"]["code"], "MALFORMED_BODY");
    client.send_text(&nested(32)).await;
    assert_eq!(json_of(&mut client).await["ack"], 9, "as deep as may be");

    // One more than is borne
    let began = Instant::now();
    for _ in refused..BORNE {
        client.send_text("garbage").await;
        assert_eq!(json_of(&mut client).await["event"], "error");
        // As fast as frames may come
        sleep(Duration::from_millis(20)).await;
    }
    is_next(&mut client, 78).await;
    client.send_text("one too many").await;
    assert_eq!(json_of(&mut client).await["event"], "error");
    assert_eq!(client.next(DEADLINE).await, Received::Closed(4003));
    assert!(began.elapsed() < Duration::from_secs(10), "the first of them would be forgotten");

    // Too large, at once
    for frame in [65 * 1_024, 1_000_000] {
        let mut client = socket(pod, &bad).await;
        client.send_text(&json!({ "id": 1, "event": "ping", "data": "x".repeat(frame) }).to_string()).await;
        assert_eq!(client.next(DEADLINE).await, Received::Closed(1009), "{frame}");
    }
    // A header that promises too much is enough, and so are fragments that are too long together
    let promise = [&[0x81, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    let fragment = |first: u8| {
        let mut bytes = vec![first, 0xfe];
        bytes.extend_from_slice(&40_000_u16.to_be_bytes());
        // The mask is all zeros
        bytes.resize(bytes.len() + 4, 0);
        bytes.resize(bytes.len() + 40_000, b'x');
        bytes
    };
    for bytes in [promise, [fragment(0x01), fragment(0x80)].concat()] {
        let mut client = socket(pod, &bad).await;
        client.send_raw(&bytes).await;
        assert_eq!(client.next(DEADLINE).await, Received::Closed(1009), "{:x?}", &bytes[..14]);
    }
    let mut client = socket(pod, &bad).await;
    let head = r#"{"id":1,"event":"ping","data":""#;
    let fits = "x".repeat(64 * 1_024 - head.len() - 2);
    client.send_text(&format!("{head}{fits}\"}}")).await;
    assert_eq!(json_of(&mut client).await["data"], fits, "64 KiB are served");

    // What is no frame at all
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0x81, 0x01, b'x']] {
        let mut client = socket(pod, &bad).await;
        client.send_raw(bytes).await;
        assert_eq!(client.next(DEADLINE).await, Received::Closed(1002), "{bytes:x?}");
    }

    // Too fast: told so, and ended as any other abuse
    let mut client = socket(pod, &bad).await;
    for _ in 0..2 * BORNE + 10 {
        client.try_send_json(&json!({ "event": "ping" })).await;
    }
    let (mut answered, mut told) = (0, 0);
    let code = loop {
        match client.next(DEADLINE).await {
            Received::Json(frame) if frame["event"] == "ping" => answered += 1,
            Received::Json(frame) if frame["data"]["code"] == "RATE_LIMITED" => told += 1,
            Received::Closed(code) => break code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((code, told), (4003, BORNE + 1), "{answered} were answered");

    // Nobody else has noticed
    let said = say(&pod, &host, party, "What was that?").await;
    assert_eq!(bystander.logged().await["data"]["id"], said["id"]);
    let health = ask(&pod, None, Method::GET, "/health", &[], None).await;
    assert_eq!((health.status, &health.body["status"]), (200, &json!("healthy")));
    assert!(process.peak() < 400_000_000, "{}", process.peak());
    let lines = process.lines();
    assert!(
        lines.iter().all(|line| line["message"] != "Actor restarted" && line["message"] != "Session failed")
    );
}

#[tokio::test]
async fn an_eleventh_session_of_one_caller_is_too_many() {
    let house = House::start().await;
    let (_process, pod) = house.pod(&[]).await;
    let stage = house.stage();
    let (many, other) = (stage.user().await, stage.user().await);
    let mut sessions = Vec::new();
    for _ in 0..10 {
        sessions.push(socket(pod, &many).await);
    }
    // Refused as an upgrade, or closed once it is known whose it is
    let refused = WsClient::connect(pod, "/ws", &[("authorization", &many.bearer)]).await;
    if let Ok(mut socket) = refused {
        assert_eq!(socket.expect_close(DEADLINE).await, 4009);
    }
    let mut late = WsClient::connect(pod, "/ws", &[]).await.unwrap();
    let token = many.bearer.trim_start_matches("Bearer ");
    late.send_json(&json!({ "id": 1, "event": "auth", "data": { "token": token } })).await;
    assert_eq!(late.expect_close(DEADLINE).await, 4009);
    for socket in sessions.iter_mut().chain([&mut socket(pod, &other).await]) {
        is_next(socket, 1).await;
    }
}

#[tokio::test]
async fn a_session_is_in_a_hundred_rooms_and_in_no_more() {
    let house = House::start().await;
    let (_process, pod) = house.pod(&[]).await;
    let stage = house.stage();
    let host = stage.user().await;
    let mut screen = Screen::of(&pod, &host).await;
    // As fast as frames may come
    let mut pace = interval(Duration::from_millis(20));
    let mut parties = Vec::new();
    for _ in 0..50 {
        let party = stage.party(&host, "LIVE", true).await;
        parties.push(party);
        for event in ["party:join_live", "chat:join"] {
            pace.tick().await;
            let (_, answer) = screen.ask(event, json!({ "partyId": party })).await;
            assert_eq!(answer["error"], json!(null), "{event} of party {}", parties.len());
        }
    }
    let more = json!({ "partyId": stage.party(&host, "LIVE", true).await });
    assert_eq!(screen.refused("party:join_live", more.clone()).await, "QUOTA_EXCEEDED");
    assert_eq!(screen.refused("chat:join", more.clone()).await, "QUOTA_EXCEEDED");
    // To come in again takes no more room, and to leave makes some
    screen.join(parties[0]).await;
    screen.ask("chat:leave", json!({ "partyId": parties[0] })).await;
    let (_, answer) = screen.ask("chat:join", more.clone()).await;
    assert_eq!(answer["error"], json!(null));
    assert_eq!(screen.refused("party:join_live", more).await, "QUOTA_EXCEEDED");
}

#[tokio::test]
async fn who_does_not_say_who_they_are_is_closed_and_is_not_many() {
    let house = House::start().await;
    let (_process, pod) = house.pod(&[]).await;
    let user = house.stage().user().await;
    let began = Instant::now();
    let (mut inside, mut refused) = (Vec::new(), 0);
    for came in join_all((0..60).map(|_| WsClient::connect(pod, "/ws", &[]))).await {
        match came {
            Ok(socket) => inside.push(socket),
            Err(Error::Http(response)) => {
                assert_eq!(response.status().as_u16(), 429);
                assert!(response.headers().contains_key("retry-after"));
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((inside.len(), refused), (50, 10));
    // Who says it stays, and has made room
    let mut known = inside.remove(0);
    let token = user.bearer.trim_start_matches("Bearer ");
    known.send_json(&json!({ "id": 1, "event": "auth", "data": { "token": token } })).await;
    assert_eq!(json_of(&mut known).await, json!({ "ack": 1, "data": { "userId": user.id } }));
    inside.push(WsClient::connect(pod, "/ws", &[]).await.unwrap());
    // Whatever else is said is no excuse
    inside[0].send_json(&json!({ "id": 1, "event": "ping" })).await;
    assert_eq!(json_of(&mut inside[0]).await["error"]["code"], "UNAUTHENTICATED");
    for socket in &mut inside {
        assert_eq!(socket.next(DEADLINE).await, Received::Closed(4001));
    }
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    is_next(&mut known, 2).await;
    assert!(WsClient::connect(pod, "/ws", &[]).await.is_ok());
}
