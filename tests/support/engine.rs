//! A client of Socket.IO that says whatever it wants to, by requests or on a socket.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{DEADLINE, client::Client, secrets, stage::Somebody, ws::ABNORMAL};

const PATH: &str = "/socket.io/?EIO=4&transport=";

/// The packet with which somebody connects.
pub fn connect(who: &Somebody) -> String {
    format!(r#"40{{"token":"{}"}}"#, who.bearer.trim_start_matches("Bearer "))
}

/// A session that requests carry.
pub struct Polled {
    client: Client,
    pod: SocketAddr,
    sid: String,
}

impl Polled {
    /// Opens one, or gives the status with which it is refused.
    pub async fn open(client: &Client, pod: SocketAddr) -> Result<Self, u16> {
        let answer = client.get(format!("http://{pod}{PATH}polling")).send().await.unwrap();
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(status);
        }
        let greeting = answer.text().await.unwrap();
        let told: Value = serde_json::from_str(greeting.strip_prefix('0').unwrap()).unwrap();
        Ok(Self { client: client.clone(), pod, sid: told["sid"].as_str().unwrap().to_owned() })
    }

    /// Somebody's, who is connected.
    pub async fn of(pod: SocketAddr, who: &Somebody) -> Self {
        let session = Self::open(&Client::new(), pod).await.unwrap();
        assert_eq!(session.post(connect(who)).await, 200);
        let (status, answer) = session.get().await;
        assert!(status == 200 && answer.starts_with("40{"), "{status} {answer}");
        session
    }

    fn url(&self) -> String {
        format!("http://{}{PATH}polling&sid={}", self.pod, self.sid)
    }

    /// Waits for what there is to hear.
    pub async fn get(&self) -> (u16, String) {
        let answer = self.client.get(self.url()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Says something. Gives the status; 0 where the connection is cut before there is one.
    pub async fn post(&self, body: impl Into<String>) -> u16 {
        let answer = self.client.post(self.url()).body(body.into()).send().await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    /// A socket that may carry it.
    pub async fn probe(&self) -> EngineSocket {
        EngineSocket::open(self.pod, &format!("&sid={}", self.sid)).await
    }
}

/// What came on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A packet.
    Text(String),
    /// What is binary.
    Binary(Vec<u8>),
    /// The end, with its code.
    Closed(u16),
}

/// A socket. It answers pings by itself, while it is listened to.
pub struct EngineSocket(WebSocketStream<TcpStream>);

impl EngineSocket {
    async fn open(pod: SocketAddr, more: &str) -> Self {
        let stream = TcpStream::connect(pod).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(client_async(format!("ws://{pod}{PATH}websocket{more}"), stream).await.unwrap().0)
    }

    /// Somebody's, who is connected.
    pub async fn of(pod: SocketAddr, who: &Somebody) -> Self {
        let mut socket = Self::open(pod, "").await;
        socket.expect("0{").await;
        socket.say(&connect(who)).await;
        socket.expect("40{").await;
        socket
    }

    /// Says something, unless the other side is gone: it will say so when it is listened to.
    pub async fn say(&mut self, packet: &str) {
        _ = self.0.send(Message::text(packet)).await;
    }

    /// As [`EngineSocket::say`], of what is binary.
    pub async fn say_binary(&mut self, bytes: &[u8]) {
        _ = self.0.send(Message::binary(bytes.to_vec())).await;
    }

    /// The next that comes.
    pub async fn next(&mut self) -> Heard {
        timeout(DEADLINE, self.receive()).await.expect("something comes")
    }

    async fn receive(&mut self) -> Heard {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) if text == "2" => self.say("3").await,
                Some(Ok(Message::Text(text))) => {
                    secrets::look_once(&text);
                    return Heard::Text(text.to_string());
                }
                Some(Ok(Message::Binary(bytes))) => return Heard::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Heard::Closed(ABNORMAL),
            }
        }
    }

    /// The next is a packet that begins so. Gives the rest of it.
    pub async fn expect(&mut self, beginning: &str) -> String {
        match self.next().await {
            Heard::Text(text) if text.starts_with(beginning) => text[beginning.len()..].to_owned(),
            other => panic!("{beginning} is expected, not {other:?}"),
        }
    }

    /// The next packet that begins so, whatever comes before. Gives the rest of it.
    pub async fn find(&mut self, beginning: &str) -> String {
        loop {
            match self.next().await {
                Heard::Text(text) if text.starts_with(beginning) => {
                    return text[beginning.len()..].to_owned();
                }
                Heard::Closed(code) => panic!("{beginning} is expected, not the end: {code}"),
                Heard::Text(_) | Heard::Binary(_) => {}
            }
        }
    }

    /// The code of the end; what comes before is passed over.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Closed(code) = self.next().await {
                return code;
            }
        }
    }
}
