//! Engine.IO as its clients meet it: the cases of the protocol's published test page, and what clients may do wrong.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use futures_util::{SinkExt as _, StreamExt as _};
use slog::{Discard, Logger, o};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::realtime::{
    Config, Registry,
    engine::{self, EngineError},
    tests::pod::{Client, PATIENCE, Pod, config, echo, hear, say, until},
};

static LAST: AtomicUsize = AtomicUsize::new(0);

/// The edge, as bare as it can be. Ids are numbers here, which everybody can guess.
pub(in crate::realtime) async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    registry: web::Data<Registry>,
) -> HttpResponse {
    let (registry, log) = (registry.into_inner(), Logger::root(Discard, o!()));
    let asked = |name: &str| {
        let mut members = request.query_string().split('&').filter_map(|member| member.split_once('='));
        members.find_map(|(key, value)| (key == name).then_some(value))
    };
    let new = || LAST.fetch_add(1, Ordering::Relaxed).to_string();
    let is_socket = asked("transport") == Some("websocket");
    let text = |body: String| HttpResponse::Ok().body(body);
    let served = match (asked("sid"), is_socket, request.method()) {
        (None, true, _) => engine::connect(&request, payload, &new(), echo(&request), &registry, &log),
        (Some(sid), true, _) => engine::upgrade(&request, payload, sid, &registry),
        (None, false, _) => {
            engine::handshake(&new(), echo(&request), &registry, &log).map(text).map_err(EngineError::Refused)
        }
        (Some(sid), false, &Method::GET) => engine::poll(sid, &registry).await.map(text),
        (Some(sid), false, _) => engine::post(sid, payload, &registry).await.map(|()| text("ok".to_owned())),
    };
    served.unwrap_or_else(|error| HttpResponse::BadRequest().body(error.to_string()))
}

/// Asks as often as the protocol's test suite, for an answer within `within`: little for who is silent, much for who
/// answers on a machine that is busy.
fn quick(within: Duration) -> Config {
    Config {
        ping_every: Duration::from_millis(300),
        answer_within: within,
        sweep_every: Duration::from_millis(5),
        upgrade_within: PATIENCE,
        ..config()
    }
}

/// Asks on a connection of its own. Gives the status and the body.
async fn ask(at: SocketAddr, method: &str, sid: &str, body: &str) -> (u16, String) {
    let stream = begin(at, method, sid, body).await;
    timeout(PATIENCE, finish(stream)).await.unwrap()
}

async fn begin(at: SocketAddr, method: &str, sid: &str, body: &str) -> TcpStream {
    let sid = if sid.is_empty() { String::new() } else { format!("&sid={sid}") };
    let mut stream = TcpStream::connect(at).await.unwrap();
    let head = format!(
        "{method} /engine.io/?EIO=4&transport=polling{sid} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // It may be refused before it is read
    _ = stream.write_all(body.as_bytes()).await;
    stream
}

async fn finish(mut stream: TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap()), body.to_owned())
}

/// A session that requests carry.
async fn polled(pod: &Pod) -> String {
    let (status, greeting) = ask(pod.address, "GET", "", "").await;
    assert_eq!(status, 200, "{greeting}");
    let rest = greeting.strip_prefix(r#"0{"sid":""#).unwrap();
    let (sid, rest) = rest.split_once('"').unwrap();
    let config = pod.registry.config();
    let times = (config.ping_every.as_millis(), config.answer_within.as_millis());
    let told = format!(
        r#","upgrades":["websocket"],"pingInterval":{},"pingTimeout":{},"maxPayload":1000000}}"#,
        times.0, times.1
    );
    assert_eq!(rest, told);
    sid.to_owned()
}

async fn socket(pod: &Pod, sid: &str) -> Client {
    let sid = if sid.is_empty() { String::new() } else { format!("&sid={sid}") };
    connect_async(format!("ws://{}/engine.io/?EIO=4&transport=websocket{sid}", pod.address)).await.unwrap().0
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

#[actix_web::test]
async fn messages_go_both_ways_by_requests() {
    let pod = Pod::start(config()).await;
    let sid = polled(&pod).await;
    for payload in ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA=="] {
        assert_eq!(ask(pod.address, "POST", &sid, payload).await, ok("ok"));
        assert_eq!(ask(pod.address, "GET", &sid, "").await, ok(payload));
    }
    // One that waits is woken
    let waiting = begin(pod.address, "GET", &sid, "").await;
    assert_eq!(ask(pod.address, "POST", &sid, "4wait 1").await, ok("ok"));
    assert_eq!(finish(waiting).await, ok("4wait 1"));
    pod.stop().await;
}

#[actix_web::test]
async fn five_hundred_in_a_burst_arrive_in_order_sixteen_at_most_at_once() {
    let pod = Pod::start(config()).await;
    let sid = polled(&pod).await;
    for hundred in 0..5 {
        let burst: Vec<_> = (0..100).map(|n| format!("4{}", hundred * 100 + n)).collect();
        assert_eq!(ask(pod.address, "POST", &sid, &burst.join("\x1e")).await, ok("ok"));
    }
    let mut heard = Vec::new();
    while heard.len() < 500 {
        let (_, body) = ask(pod.address, "GET", &sid, "").await;
        assert!(body.split('\x1e').count() <= 16, "{body}");
        heard.extend(body.split('\x1e').map(|packet| packet[1..].parse::<usize>().unwrap()));
    }
    assert_eq!(heard, (0..500).collect::<Vec<_>>());
    pod.stop().await;
}

#[actix_web::test]
async fn what_is_not_the_protocol_ends_the_session_by_requests() {
    let pod = Pod::start(Config { payload_packets: 4, ..config() }).await;
    let (long, many, huge) = ("4".repeat(65 * 1024), "4\x1e".repeat(300_000), "4".repeat(1_000_001));
    for payload in ["abc", "", "4a\x1e", "2", "5", "b!", &long, &many, &huge] {
        let sid = polled(&pod).await;
        let start = Instant::now();
        let (status, _) = ask(pod.address, "POST", &sid, payload).await;
        assert!(status == 400 || status == 0, "{status} for {:?}", payload.get(..20));
        assert_eq!(ask(pod.address, "GET", &sid, "").await.0, 400);
        assert_eq!(ask(pod.address, "POST", &sid, "4a").await.0, 400);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    assert_eq!(ask(pod.address, "GET", "unknown", "").await.0, 400);
    until("all are gone", || pod.registry.counts().open == 0).await;
    pod.stop().await;
}

#[actix_web::test]
async fn a_second_get_ends_the_session_and_lets_the_first_go() {
    let pod = Pod::start(config()).await;
    let sid = polled(&pod).await;
    let first = begin(pod.address, "GET", &sid, "").await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(ask(pod.address, "GET", &sid, "").await.0, 400);
    assert_eq!(finish(first).await, ok("1"));
    assert_eq!(ask(pod.address, "GET", &sid, "").await.0, 400);
    pod.stop().await;
}

#[actix_web::test]
async fn a_get_that_is_given_up_ends_the_session() {
    let pod = Pod::start(config()).await;
    let sid = polled(&pod).await;
    let first = begin(pod.address, "GET", &sid, "").await;
    sleep(Duration::from_millis(50)).await;
    drop(first);
    until("it is gone", || pod.registry.counts().open == 0).await;
    assert_eq!(ask(pod.address, "GET", &sid, "").await.0, 400);
    pod.stop().await;
}

#[actix_web::test]
async fn a_goodbye_by_requests_lets_the_get_go() {
    let pod = Pod::start(config()).await;
    let sid = polled(&pod).await;
    let waiting = begin(pod.address, "GET", &sid, "").await;
    assert_eq!(ask(pod.address, "POST", &sid, "1").await, ok("ok"));
    assert_eq!(finish(waiting).await, ok("6"));
    assert_eq!(ask(pod.address, "GET", &sid, "").await.0, 400);
    assert_eq!(pod.registry.counts().open, 0);
    pod.stop().await;
}

#[actix_web::test]
async fn heartbeats_by_requests_are_answered_or_end_the_session() {
    let pod = Pod::start(quick(PATIENCE)).await;
    let sid = polled(&pod).await;
    for _ in 0..3 {
        assert_eq!(ask(pod.address, "GET", &sid, "").await, ok("2"));
        assert_eq!(ask(pod.address, "POST", &sid, "3").await, ok("ok"));
    }
    pod.stop().await;
    let pod = Pod::start(quick(Duration::from_millis(200))).await;
    let silent = polled(&pod).await;
    until("it is gone", || pod.registry.counts().open == 0).await;
    assert_eq!(ask(pod.address, "GET", &silent, "").await.0, 400);
    // What it says besides is no answer to a ping
    let talking = polled(&pod).await;
    let start = Instant::now();
    while ask(pod.address, "POST", &talking, "4a").await.0 == 200 {
        assert!(start.elapsed() < Duration::from_secs(2), "it has never answered");
    }
    pod.stop().await;
}

#[actix_web::test]
async fn a_session_on_a_socket() {
    let pod = Pod::start(quick(PATIENCE)).await;
    let mut client = socket(&pod, "").await;
    let start = Instant::now();
    let greeting = hear(&mut client).await.unwrap();
    assert!(greeting.starts_with(r#"0{"sid":""#), "{greeting}");
    let told = r#","upgrades":[],"pingInterval":300,"pingTimeout":10000,"maxPayload":1000000}"#;
    assert!(greeting.ends_with(told), "{greeting}");
    say(&mut client, "4hello").await;
    assert_eq!(hear(&mut client).await, Ok("4hello".to_owned()));
    client.send(Message::binary(vec![1, 2, 3, 4])).await.unwrap();
    let echo = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(echo, Message::binary(vec![1, 2, 3, 4]));
    for _ in 0..3 {
        assert_eq!(hear(&mut client).await, Ok("2".to_owned()));
        say(&mut client, "3").await;
    }
    assert!(start.elapsed() >= Duration::from_millis(890), "{:?}", start.elapsed());
    say(&mut client, "1").await;
    assert_eq!(hear(&mut client).await, Err(1000));

    let mut client = socket(&pod, "").await;
    hear(&mut client).await.unwrap();
    say(&mut client, "abc").await;
    assert_eq!(hear(&mut client).await, Err(1002));
    until("both are gone", || pod.registry.counts().open == 0).await;
    pod.stop().await;
}

#[actix_web::test]
async fn a_socket_takes_a_session_over() {
    let pod = Pod::start(config()).await;
    let sid = polled(&pod).await;
    assert_eq!(ask(pod.address, "POST", &sid, "4before").await, ok("ok"));
    assert_eq!(ask(pod.address, "GET", &sid, "").await, ok("4before"));
    let waiting = begin(pod.address, "GET", &sid, "").await;
    let mut client = socket(&pod, &sid).await;
    say(&mut client, "2probe").await;
    assert_eq!(hear(&mut client).await, Ok("3probe".to_owned()));
    assert_eq!(finish(waiting).await, ok("6"));
    assert_eq!(ask(pod.address, "GET", &sid, "").await, ok("6"), "at once, until the socket has it");
    assert_eq!(ask(pod.address, "POST", &sid, "4between").await, ok("ok"));
    say(&mut client, "5").await;
    assert_eq!(hear(&mut client).await, Ok("4between".to_owned()));
    assert_eq!(ask(pod.address, "GET", &sid, "").await.0, 400);
    assert_eq!(ask(pod.address, "POST", &sid, "4x").await.0, 400);
    let mut second = socket(&pod, &sid).await;
    assert_eq!(hear(&mut second).await, Err(1000));
    say(&mut client, "4hello").await;
    assert_eq!(hear(&mut client).await, Ok("4hello".to_owned()));
    drop(client);
    until("it is gone with its socket", || pod.registry.counts().open == 0).await;
    pod.stop().await;
}

#[actix_web::test]
async fn a_probe_that_comes_to_nothing_leaves_the_session_as_it_was() {
    let pod = Pod::start(Config { upgrade_within: Duration::from_secs(1), ..config() }).await;
    let sid = polled(&pod).await;
    // One says something else, one goes, one never comes to it
    let mut client = socket(&pod, &sid).await;
    say(&mut client, "5").await;
    assert_eq!(hear(&mut client).await, Err(1000));
    let mut client = socket(&pod, &sid).await;
    say(&mut client, "2probe").await;
    assert_eq!(hear(&mut client).await, Ok("3probe".to_owned()));
    let cut = timeout(PATIENCE, client.next()).await.unwrap();
    assert!(!matches!(cut, Some(Ok(_))), "{cut:?}");
    let start = Instant::now();
    loop {
        assert_eq!(ask(pod.address, "POST", &sid, "4still here").await, ok("ok"));
        // Its end is seen a moment later
        if ask(pod.address, "GET", &sid, "").await == ok("4still here") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "requests do not carry it again");
    }
    pod.stop().await;
}

#[actix_web::test]
async fn a_drain_tells_a_session_that_requests_carry() {
    let pod = Pod::start(config()).await;
    let sid = polled(&pod).await;
    let silent = polled(&pod).await;
    let waiting = begin(pod.address, "GET", &sid, "").await;
    sleep(Duration::from_millis(50)).await;
    let drained = pod.registry.drain(Duration::ZERO, PATIENCE).await;
    assert_eq!(drained.left, 0, "also who asks for nothing");
    let (status, body) = finish(waiting).await;
    let (first, last) = body.split_once('\x1e').unwrap();
    assert!(status == 200 && first.starts_with("draining ") && last == "1", "{body}");
    assert_eq!(ask(pod.address, "GET", &silent, "").await.0, 400);
    pod.stop().await;
}
