//! Clients that ask again as soon as they are answered, on a thread of their own.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime,
    task::{JoinSet, spawn_blocking},
};

/// Whom to ask for what.
#[derive(Clone)]
pub struct Load {
    address: SocketAddr,
    requests: Arc<Vec<String>>,
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub etag: String,
    pub body: Vec<u8>,
}

/// What came of a turn.
pub struct Run {
    pub answers: f64,
    /// Answers a second.
    pub rate: f64,
}

impl Load {
    pub fn new(address: SocketAddr, paths: &[String], headers: &[(&str, &str)]) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = |path: &String| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        Self { address, requests: Arc::new(paths.iter().map(request).collect()) }
    }

    /// The same, asked elsewhere.
    pub fn to(&self, address: SocketAddr) -> Self {
        Self { address, requests: Arc::clone(&self.requests) }
    }

    /// The answer to the first request.
    pub async fn first(&self) -> Answer {
        let mut client = Client::new(self.address).await;
        let answer = client.ask(&self.requests[0]).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer
    }

    /// As much as so many connections get within `turn`.
    pub async fn run(&self, connections: usize, turn: Duration) -> Run {
        let load = self.clone();
        // What stands between a pod and Redis is not to wait for these
        spawn_blocking(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(load.turn(connections, turn))
        })
        .await
        .unwrap()
    }

    async fn turn(self, connections: usize, turn: Duration) -> Run {
        let began = Instant::now();
        let mut asking = JoinSet::new();
        for n in 0..connections {
            let load = self.clone();
            asking.spawn(async move {
                let mut client = Client::new(load.address).await;
                let mut answers = 0_u32;
                // Each begins elsewhere among them
                for request in load.requests.iter().cycle().skip(n * load.requests.len() / connections) {
                    let answer = client.ask(request).await;
                    let said = String::from_utf8_lossy(&answer.body);
                    assert!([200, 304, 503].contains(&answer.status), "{said}");
                    // A machine that is too busy refuses, which is no answer that counts
                    answers += u32::from(answer.status != 503);
                    if began.elapsed() > turn {
                        break;
                    }
                }
                answers
            });
        }
        let answers = f64::from(asking.join_all().await.into_iter().sum::<u32>());
        Run { answers, rate: answers / began.elapsed().as_secs_f64() }
    }
}

/// A connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 256 * 1024] }
    }

    async fn ask(&mut self, request: &str) -> Answer {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = 0;
        let head = loop {
            read += self.more(read).await;
            if let Some(end) = self.buffer[..read].windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let header =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let status: u16 = text.split(' ').nth(1).unwrap().parse().unwrap();
        let length = if status == 304 { 0 } else { header("content-length:").parse().unwrap() };
        let etag = header("etag:").to_owned();
        while read < head + length {
            read += self.more(read).await;
        }
        Answer { status, etag, body: self.buffer[head..read].to_vec() }
    }

    async fn more(&mut self, from: usize) -> usize {
        let got = self.stream.read(&mut self.buffer[from..]).await.unwrap();
        assert!(got > 0, "closed");
        got
    }
}
