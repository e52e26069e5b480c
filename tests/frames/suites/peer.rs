//! A client that asks by request and by socket, and says what it wants to.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

use crate::pod::{Options, Pod};

/// Longer than anything here takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const ENGINE: &str = "/engine.io/";
pub(super) const SOCKET: &str = "/socket.io/";

/// A pod that asks nobody whether they live, and waits for everybody.
pub(super) async fn patient() -> Pod {
    start(Options { ping_every: PATIENCE * 2, answer_within: PATIENCE, ..with_time() }).await
}

/// What a pod is started with whose clients are served on a busy machine.
pub(super) fn with_time() -> Options {
    Options { port: 0, connect_within: PATIENCE * 2, ..Options::default() }
}

pub(super) async fn start(options: Options) -> Pod {
    Pod::start(Options { port: 0, ..options }).await.unwrap()
}

/// Asks again and again, for it becomes true.
pub(super) async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !ask().await {
        assert!(began.elapsed() < PATIENCE, "it is not so that {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// A request under way.
pub(super) struct Asking(TcpStream);

/// Begins a request on a connection of its own.
pub(super) async fn begin(pod: &Pod, method: &str, target: &str, body: &str) -> Asking {
    promise(pod, method, target, body.len(), body).await
}

/// Begins a request that promises so many bytes.
pub(super) async fn promise(pod: &Pod, method: &str, target: &str, length: usize, body: &str) -> Asking {
    let mut stream = TcpStream::connect(pod.address).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    // It may be refused before it is read
    _ = stream.write_all(request.as_bytes()).await;
    Asking(stream)
}

impl Asking {
    /// The status and the body; 0 where it is cut off without an answer.
    pub(super) async fn finish(mut self) -> (u16, String) {
        let mut answer = Vec::new();
        _ = timeout(PATIENCE, self.0.read_to_end(&mut answer)).await.expect("an answer");
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap()), body.to_owned())
    }
}

/// Asks on a connection of its own.
pub(super) async fn ask(pod: &Pod, method: &str, target: &str, body: &str) -> (u16, String) {
    begin(pod, method, target, body).await.finish().await
}

/// A session that requests carry.
pub(super) struct Polled<'a> {
    pod: &'a Pod,
    target: String,
    pub(super) sid: String,
}

impl<'a> Polled<'a> {
    pub(super) async fn open(pod: &'a Pod, path: &str) -> Self {
        let (status, greeting) = ask(pod, "GET", &format!("{path}?EIO=4&transport=polling"), "").await;
        assert_eq!(status, 200, "{greeting}");
        let sid = told(&greeting)["sid"].as_str().unwrap().to_owned();
        Self { pod, target: format!("{path}?EIO=4&transport=polling&sid={sid}"), sid }
    }

    pub(super) async fn begin_get(&self) -> Asking {
        begin(self.pod, "GET", &self.target, "").await
    }

    /// Waits for what there is to hear.
    pub(super) async fn get(&self) -> (u16, String) {
        self.begin_get().await.finish().await
    }

    /// The next that is not a ping; those are answered.
    pub(super) async fn hear(&self) -> String {
        loop {
            let (status, body) = self.get().await;
            assert_eq!(status, 200, "{body}");
            if body != "2" {
                return body;
            }
            self.say("3").await;
        }
    }

    pub(super) async fn post(&self, body: &str) -> (u16, String) {
        ask(self.pod, "POST", &self.target, body).await
    }

    /// Says what is taken.
    pub(super) async fn say(&self, body: &str) {
        assert_eq!(self.post(body).await, ok("ok"));
    }

    /// Whether no request is served any more. Each ends the session if another waits: so a POST, which waits for nothing.
    pub(super) async fn is_over(&self) -> bool {
        self.post("6").await.0 == 400
    }
}

pub(super) fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

/// What a greeting tells.
pub(super) fn told(greeting: &str) -> Value {
    serde_json::from_str(greeting.strip_prefix('0').expect("a greeting")).unwrap()
}

/// What came on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Closed,
}

pub(super) fn text(text: &str) -> Heard {
    Heard::Text(text.to_owned())
}

/// A socket.
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens one, or gives the status with which it is refused.
    pub(super) async fn open(pod: &Pod, target: &str) -> Result<Self, u16> {
        match connect_async(format!("ws://{}{target}", pod.address)).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// One that has a session of its own and was greeted.
    pub(super) async fn greeted(pod: &Pod, path: &str) -> Self {
        let mut socket = Self::open(pod, &format!("{path}?EIO=4&transport=websocket")).await.unwrap();
        assert!(matches!(socket.next().await, Heard::Text(greeting) if greeting.starts_with('0')));
        socket
    }

    /// One for a session that requests carry.
    pub(super) async fn probing(session: &Polled<'_>) -> Self {
        let target = session.target.replace("polling", "websocket");
        Self::open(session.pod, &target).await.unwrap()
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(super) async fn say_binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// What comes next.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => return Heard::Text(text.to_string()),
                Some(Ok(Message::Binary(bytes))) => return Heard::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Heard::Closed,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            }
        }
    }

    /// The end is what comes, be it behind pings.
    pub(super) async fn is_closed(&mut self) {
        loop {
            match self.next().await {
                Heard::Closed => return,
                ping if ping == text("2") => {}
                other => panic!("{other:?} instead of the end"),
            }
        }
    }

    /// These come next.
    pub(super) async fn hears(&mut self, expected: &[&str]) {
        for expected in expected {
            assert_eq!(self.next().await, text(expected));
        }
    }
}
