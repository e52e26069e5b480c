//! Sockets as clients meet them: a server on the loopback, an echo for a protocol.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Payload},
};
use futures_util::{SinkExt, StreamExt};
use slog::{Discard, Logger, o};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{interval, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite};
use tungstenite::Message;

use super::*;
use crate::kernel::{State, Supervisor};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Says everything back; some words do something.
struct Echo;

impl Protocol for Echo {
    fn on_received(&mut self, received: Received, now: Instant) -> Vec<Action> {
        let bytes = match received {
            Received::Text(bytes) => bytes,
            Received::Binary(bytes) => return vec![Action::Send(Frame::binary(bytes))],
            Received::Other => return Vec::new(),
        };
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        match text.split_once(' ') {
            Some(("panic", why)) => panic!("{why}"),
            Some(("close", reason)) => vec![
                Action::Send(Frame::text(reason)),
                Action::Close(Close::new(4010, "removed")),
                Action::Send(Frame::text("never")),
            ],
            Some(("identify", id)) => {
                let subject = Subject { kind: 0, id: id.parse().unwrap() };
                let identity = Identity { subject, expires_at: now + Duration::from_millis(400) };
                vec![Action::Identify(identity), Action::Send(Frame::text("welcome"))]
            }
            _ => vec![Action::Send(Frame::text(text))],
        }
    }
}

struct Words;

impl Notices for Words {
    fn expiring(&self) -> Option<Frame> {
        Some(Frame::text("expiring"))
    }

    fn draining(&self, reconnect_after: Duration) -> Option<Frame> {
        Some(Frame::text(format!("draining {}", reconnect_after.as_millis())))
    }
}

async fn open(request: HttpRequest, payload: Payload, registry: web::Data<Registry>) -> HttpResponse {
    let opening = Opening {
        protocol: Box::new(Echo),
        notices: Arc::new(Words),
        address: request.peer_addr().unwrap().ip(),
        identity: None,
    };
    match upgrade(&request, payload, opening, &registry.into_inner(), &Logger::root(Discard, o!())) {
        Ok(response) => response,
        Err(UpgradeError::Refused(_)) => HttpResponse::ServiceUnavailable().finish(),
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

/// A pod with nothing but sockets.
struct Pod {
    address: SocketAddr,
    registry: Arc<Registry>,
    hub: crate::kernel::Handle<Hub>,
    supervisor: Supervisor,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Pod {
    async fn start(config: Config) -> Self {
        let registry = Registry::new(config);
        let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
        let hub = supervisor.add(Hub::child(Arc::clone(&registry))).await.unwrap();
        let data = web::Data::from(Arc::clone(&registry));
        let (sender, receiver) = mpsc::sync_channel(1);
        let thread = std::thread::spawn(move || {
            let app = move || App::new().app_data(data.clone()).route("/ws", web::get().to(open));
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .on_connect(on_connect)
                    .bind("127.0.0.1:0")
                    .unwrap();
                let address = *server.addrs().first().unwrap();
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, server) = receiver.recv().unwrap();
        Self { address, registry, hub, supervisor, server, thread: Some(thread) }
    }

    async fn connect(&self) -> Client {
        connect_async(format!("ws://{}/ws", self.address)).await.unwrap().0
    }

    /// A client that has shaken hands and does nothing by itself.
    async fn connect_raw(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = "GET /ws HTTP/1.1\r\nHost: pod\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        stream
    }

    async fn stop(mut self) {
        self.server.stop(false).await;
        self.thread.take().unwrap().join().unwrap();
        self.supervisor.stop_all().await;
    }
}

/// Times that do not get in the way.
fn config() -> Config {
    Config { authenticate_within: PATIENCE * 10, sweep_every: Duration::from_millis(20), ..Config::default() }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let mut tick = interval(Duration::from_millis(5));
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        tick.tick().await;
    }
}

async fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).await.unwrap();
}

/// The next text, or the close.
async fn hear(client: &mut Client) -> Result<String, u16> {
    loop {
        let message = timeout(PATIENCE, client.next()).await.expect("an answer in time");
        match message.expect("no end without a close").expect("no reset") {
            Message::Text(text) => return Ok(text.to_string()),
            Message::Close(Some(close)) => return Err(close.code.into()),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

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

/// Sends to a client that reads nothing until its socket takes no more, so that not even a close is taken.
async fn block(pod: &Pod, entry: &Entry, size: usize) {
    let mut tick = interval(Duration::from_millis(100));
    let start = Instant::now();
    loop {
        let before = pod.registry.counts().delivered;
        while entry.outbox().depth().1 < 512 * 1024 {
            entry.outbox().push(Frame::binary(vec![b'x'; size]), Instant::now()).unwrap();
        }
        tick.tick().await;
        if pod.registry.counts().delivered == before && start.elapsed() > Duration::from_millis(200) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "the socket takes everything");
    }
}

/// Fills an outbox until it takes no more.
fn flood(entry: &Entry, size: usize) {
    let frame = Frame::binary(vec![b'x'; size]);
    let start = Instant::now();
    while entry.outbox().push(frame.clone(), Instant::now()).is_ok() {
        assert!(start.elapsed() < PATIENCE, "the outbox never fills");
    }
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
    assert!(full.elapsed() <= Duration::from_millis(2300), "{:?}", full.elapsed());
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
async fn the_hub_may_die_while_sockets_stay_open() {
    let pod = Pod::start(config()).await;
    let mut client = pod.connect().await;
    until("it sweeps", || pod.registry.last_sweep().is_some()).await;
    pod.hub.inject_panic().await;
    until("it is restarted", || pod.hub.report().restarts == 1).await;
    until("it runs", || pod.hub.status().state == State::Running).await;
    let restarted = Instant::now();
    until("it sweeps again", || pod.registry.last_sweep().is_some_and(|at| at > restarted)).await;
    assert!(pod.hub.call(LastSweep, PATIENCE).await.unwrap().is_some());
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
    let pod = Pod::start(Config { warn_before: Duration::from_millis(200), ..config() }).await;
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
        ping_every: Duration::from_millis(100),
        answer_within: Duration::from_millis(80),
        ..config()
    })
    .await;
    let mut alive = pod.connect().await;
    let mut dead = pod.connect_raw().await;
    let listen = async {
        let mut pings = 0;
        while pings < 8 {
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
