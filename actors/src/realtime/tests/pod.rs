//! A pod with nothing but sockets, for tests: a server on the loopback, an echo for a protocol.

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
use futures_util::{FutureExt, SinkExt, StreamExt};
use slog::{Discard, Logger, o};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{interval, sleep, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite};
use tungstenite::Message;

use crate::kernel::{Child, Handle, Supervisor};
use crate::realtime::*;

/// Longer than anything here takes on a busy machine.
pub(in crate::realtime) const PATIENCE: Duration = Duration::from_secs(10);

pub(in crate::realtime) type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

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
                let identity = Identity { subject, grant: None, expires_at: now + Duration::from_secs(1) };
                vec![Action::Identify(identity), Action::Send(Frame::text("welcome"))]
            }
            Some(("wait", millis)) => {
                let (millis, answer) = (millis.parse().unwrap(), Frame::text(text.clone()));
                let work = async move {
                    sleep(Duration::from_millis(millis)).await;
                    vec![Action::Send(answer)]
                };
                vec![Action::Run { work: work.boxed(), otherwise: vec![Action::Send(Frame::text("late"))] }]
            }
            Some(("follow", since)) => vec![Action::Join(Join {
                topic: Topic(7),
                room: 1,
                audience: Audience(1),
                head: since.split('/').next_back().unwrap().parse().unwrap(),
                since: since.split('/').next().unwrap().parse().ok(),
                heard_after: None,
                epoch: None,
                face: None,
                welcome: Box::new(|joined| vec![Frame::text(format!("{joined:?}"))]),
            })],
            Some(("leave", _)) => vec![Action::Leave(Topic(7), 1), Action::Send(Frame::text("left"))],
            Some(("fail", why)) => {
                let why = why.to_owned();
                let work = async move { panic!("{why}") };
                vec![Action::Run { work: work.boxed(), otherwise: vec![Action::Send(Frame::text("failed"))] }]
            }
            _ => vec![Action::Send(Frame::text(text))],
        }
    }

    fn on_crowded(&mut self, _: Received, _: Instant) -> Vec<Action> {
        vec![Action::Send(Frame::text("crowded"))]
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

/// The echo as Engine.IO frames it.
struct EngineEcho(Echo);

impl Protocol for EngineEcho {
    fn on_received(&mut self, received: Received, now: Instant) -> Vec<Action> {
        self.0.on_received(received, now).into_iter().map(framed).collect()
    }

    fn on_crowded(&mut self, received: Received, now: Instant) -> Vec<Action> {
        self.0.on_crowded(received, now)
    }
}

fn framed(action: Action) -> Action {
    match action {
        Action::Send(frame) if frame.is_text() => {
            Action::Send(engine::message(std::str::from_utf8(frame.bytes()).unwrap()))
        }
        Action::Run { work, otherwise } => {
            let work = work.map(|actions| actions.into_iter().map(framed).collect()).boxed();
            Action::Run { work, otherwise }
        }
        other => other,
    }
}

/// What opens an echo as Engine.IO frames it.
pub(in crate::realtime) fn echo(request: &HttpRequest) -> Opening {
    Opening {
        protocol: Box::new(EngineEcho(Echo)),
        notices: Arc::new(Words),
        address: request.peer_addr().unwrap().ip(),
        identity: None,
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
pub(in crate::realtime) struct Pod {
    pub(in crate::realtime) address: SocketAddr,
    pub(in crate::realtime) registry: Arc<Registry>,
    pub(in crate::realtime) hub: Handle<Hub>,
    pub(in crate::realtime) clerk: Handle<Clerk>,
    supervisor: Supervisor,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Pod {
    pub(in crate::realtime) async fn start(config: Config) -> Self {
        Self::start_with(config, |registry| Hub::child(Arc::clone(registry))).await
    }

    pub(in crate::realtime) async fn start_with(
        config: Config,
        hub: impl FnOnce(&Arc<Registry>) -> Child<Hub>,
    ) -> Self {
        let registry = Registry::new(config);
        let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
        let hub = supervisor.add(hub(&registry)).await.unwrap();
        let clerk = supervisor.add(Clerk::child(&registry)).await.unwrap();
        let data = web::Data::from(Arc::clone(&registry));
        let (sender, receiver) = mpsc::sync_channel(1);
        let thread = std::thread::spawn(move || {
            let app = move || {
                App::new()
                    .app_data(data.clone())
                    .route("/ws", web::get().to(open))
                    .route("/engine.io/", web::route().to(engine::tests::serve))
            };
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .h1_allow_half_closed(false)
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
        Self { address, registry, hub, clerk, supervisor, server, thread: Some(thread) }
    }

    pub(in crate::realtime) async fn connect(&self) -> Client {
        connect_async(format!("ws://{}/ws", self.address)).await.unwrap().0
    }

    /// A client that has shaken hands and does nothing by itself.
    pub(in crate::realtime) async fn connect_raw(&self) -> TcpStream {
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

    pub(in crate::realtime) async fn stop(mut self) {
        self.server.stop(false).await;
        self.thread.take().unwrap().join().unwrap();
        self.supervisor.stop_all().await;
    }
}

/// Times that do not get in the way.
pub(in crate::realtime) fn config() -> Config {
    Config { authenticate_within: PATIENCE * 10, sweep_every: Duration::from_millis(20), ..Config::default() }
}

pub(in crate::realtime) async fn until(what: &str, holds: impl Fn() -> bool) {
    let mut tick = interval(Duration::from_millis(5));
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        tick.tick().await;
    }
}

pub(in crate::realtime) async fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).await.unwrap();
}

/// The next text, or the close.
pub(in crate::realtime) async fn hear(client: &mut Client) -> Result<String, u16> {
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

/// Sends to a client that reads nothing until its socket takes no more, so that not even a close is taken.
pub(in crate::realtime) async fn block(pod: &Pod, entry: &Entry, size: usize) {
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
pub(in crate::realtime) fn flood(entry: &Entry, size: usize) {
    let frame = Frame::binary(vec![b'x'; size]);
    let start = Instant::now();
    while entry.outbox().push(frame.clone(), Instant::now()).is_ok() {
        assert!(start.elapsed() < PATIENCE, "the outbox never fills");
    }
}
