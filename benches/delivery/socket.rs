//! A WebSocket that counts what comes and understands no more of it than it must.
//!
//! It is cheap on purpose: it shares the machine with the servers that are measured.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    net::SocketAddr,
    rc::Rc,
};

use tokio::{net::TcpStream, sync::oneshot};

const TEXT: u8 = 1;
const PING: u8 = 9;
const PONG: u8 = 10;
/// How many bytes are read at once.
const READ: usize = 16 * 1024;

/// How somebody comes: the head of a request, and what is sent and then waited for, by how it begins.
pub struct Hello {
    pub head: String,
    pub steps: Vec<(Option<String>, &'static str)>,
}

impl Hello {
    /// The upgrade of `path`, with further lines.
    pub fn new(path: &str, lines: &str, steps: Vec<(Option<String>, &'static str)>) -> Self {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
        );
        Self { head, steps }
    }
}

/// One that is open.
pub struct Socket {
    stream: Rc<TcpStream>,
    /// What was read and not understood yet.
    kept: Vec<u8>,
}

impl Socket {
    pub async fn connect(address: SocketAddr, hello: Hello) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut socket = Self { stream: Rc::new(stream), kept: Vec::new() };
        send_all(&socket.stream, hello.head.as_bytes()).await;
        let head = loop {
            let end = socket.kept.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break socket.kept.drain(..end + 4).collect::<Vec<_>>();
            }
            assert!(socket.read().await, "closed during the upgrade");
        };
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        for (sent, beginning) in hello.steps {
            if let Some(sent) = sent {
                send(&socket.stream, TEXT, sent.as_bytes()).await;
            }
            _ = socket.wait_for(beginning).await;
        }
        socket
    }

    /// The next text that begins so; others are passed over.
    pub async fn wait_for(&mut self, beginning: &str) -> String {
        loop {
            let mut found = None;
            let used = frames(&self.kept, |_, payload| {
                let is_it = payload.starts_with(beginning.as_bytes());
                if is_it {
                    found = Some(String::from_utf8(payload.to_vec()).unwrap());
                }
                !is_it
            });
            self.kept.drain(..used);
            if let Some(found) = found {
                return found;
            }
            assert!(self.read().await, "closed before {beginning:?} came");
        }
    }

    /// Counts what begins as a delivery does, and answers pings, until it is closed.
    pub async fn listen(mut self, delivery: &str, delivered: Rc<Cell<usize>>) {
        loop {
            let mut answers = Vec::new();
            let used = frames(&self.kept, |kind, payload| {
                if payload.starts_with(delivery.as_bytes()) {
                    delivered.set(delivered.get() + 1);
                } else if kind == PING {
                    answers.push((PONG, payload.to_vec()));
                } else if payload == b"2" {
                    // Engine.IO's own
                    answers.push((TEXT, b"3".to_vec()));
                }
                true
            });
            self.kept.drain(..used);
            for (kind, payload) in answers {
                send(&self.stream, kind, &payload).await;
            }
            if !self.read().await {
                return;
            }
        }
    }

    /// Reads more. `false`: there is no more.
    async fn read(&mut self) -> bool {
        loop {
            self.stream.readable().await.unwrap();
            if let Some(is_open) = self.try_read() {
                return is_open;
            }
        }
    }

    fn try_read(&mut self) -> Option<bool> {
        let mut bytes = [0; READ];
        match self.stream.try_read(&mut bytes) {
            Ok(read) => {
                self.kept.extend_from_slice(&bytes[..read]);
                Some(read > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(false),
        }
    }
}

/// A socket that asks, and whose answers begin so and come in the order of the questions.
pub struct Control {
    stream: Rc<TcpStream>,
    socket: RefCell<Option<Socket>>,
    answer: &'static str,
    waiting: RefCell<VecDeque<oneshot::Sender<()>>>,
}

impl Control {
    pub async fn connect(address: SocketAddr, hello: Hello, answer: &'static str) -> Self {
        let socket = Socket::connect(address, hello).await;
        let stream = Rc::clone(&socket.stream);
        Self { stream, socket: RefCell::new(Some(socket)), answer, waiting: RefCell::default() }
    }

    /// Asks, and waits for the answer, which somebody has to [`Control::attend`].
    pub async fn ask(&self, question: &str) {
        let (asker, answered) = oneshot::channel();
        self.waiting.borrow_mut().push_back(asker);
        send(&self.stream, TEXT, question.as_bytes()).await;
        answered.await.unwrap();
    }

    /// Takes answers for as long as it is polled.
    pub async fn attend(&self) {
        let mut socket = self.socket.take().unwrap();
        loop {
            _ = socket.wait_for(self.answer).await;
            if let Some(asker) = self.waiting.borrow_mut().pop_front() {
                _ = asker.send(());
            }
        }
    }
}

/// Shows the whole frames of a server to `see` until it has seen enough. Gives how many bytes were theirs.
fn frames(bytes: &[u8], mut see: impl FnMut(u8, &[u8]) -> bool) -> usize {
    let mut used = 0;
    loop {
        let rest = &bytes[used..];
        let Some((first, second)) = rest.first().zip(rest.get(1)) else { return used };
        let (start, length) = match second & 0x7f {
            126 if rest.len() >= 4 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
            126 => return used,
            127 => panic!("nothing is that long"),
            short => (2, usize::from(short)),
        };
        let Some(payload) = rest.get(start..start + length) else { return used };
        assert!(first & 0x0f != 8, "closed: {}", String::from_utf8_lossy(payload));
        used += start + length;
        if !see(first & 0x0f, payload) {
            return used;
        }
    }
}

/// Sends a short frame. The key that it is masked with is nought: nothing is hidden from proxies here.
async fn send(stream: &TcpStream, kind: u8, payload: &[u8]) {
    let length = u8::try_from(payload.len()).ok().filter(|length| *length < 126).unwrap();
    let mut frame = vec![0x80 | kind, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    send_all(stream, &frame).await;
}

async fn send_all(stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        stream.writable().await.unwrap();
        match stream.try_write(bytes) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}"),
        }
    }
}
