//! A client of Socket.IO, by requests or by a socket, that hides nothing of what it is told.

use std::{collections::VecDeque, net::SocketAddr};

use serde_json::{Value, json};

use super::{DEADLINE, client::Client, pod::Pod, ws::WsClient};

/// How packets are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By requests.
    Polling,
    /// By a WebSocket.
    Socket,
}

enum Line {
    Polling { client: Client, url: String },
    Socket(Box<WsClient>),
}

/// A client in the default namespace.
pub struct SocketIo {
    line: Line,
    /// Packets of Socket.IO that came and were not looked at.
    waiting: VecDeque<String>,
    /// The most packets of Engine.IO that came in one answer.
    pub most: usize,
    is_over: bool,
    asked: u64,
    /// What CONNECT was answered.
    pub connected: Value,
}

/// An event, as its client is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its first argument.
    pub data: Value,
    /// What follows that.
    pub offset: Option<String>,
}

impl SocketIo {
    /// Comes in.
    pub async fn connect(pod: &impl Pod, way: Way, auth: &Value) -> Self {
        Self::try_connect(pod, way, auth).await.unwrap_or_else(|refused| panic!("refused: {refused}"))
    }

    /// Asks to come in, and is sent away without an answer.
    pub async fn sent_away(pod: &impl Pod, way: Way, auth: &Value) {
        assert_eq!(Self::asking(pod, way, auth).await.packet().await, None);
    }

    async fn asking(pod: &impl Pod, way: Way, auth: &Value) -> Self {
        let mut client = Self {
            line: open(pod.at(), way).await,
            waiting: VecDeque::new(),
            most: 0,
            is_over: false,
            asked: 0,
            connected: json!(null),
        };
        client.send(&format!("0{auth}")).await;
        client
    }

    /// Comes in, or is told why not.
    pub async fn try_connect(pod: &impl Pod, way: Way, auth: &Value) -> Result<Self, Value> {
        let mut client = Self::asking(pod, way, auth).await;
        let answer = client.packet().await.expect("CONNECT is answered");
        let data = serde_json::from_str(&answer[1..]).unwrap();
        match &answer[..1] {
            "0" => Ok(Self { connected: data, ..client }),
            _ => Err(data),
        }
    }

    /// What it was given to come back by, if anything.
    pub fn pid(&self) -> Option<&str> {
        self.connected["pid"].as_str()
    }

    /// Asks for something. Gives the events that came before the answer, and the answer.
    pub async fn ask(&mut self, event: &str, data: Value) -> (Vec<Event>, Value) {
        self.asked += 1;
        let (id, mut events) = (self.asked, Vec::new());
        self.send(&format!("2{id}{}", json!([event, data]))).await;
        loop {
            let packet = self.packet().await.expect("it is answered");
            match packet.strip_prefix(&format!("3{id}")) {
                Some(answer) => {
                    let answer: Value = serde_json::from_str(answer).unwrap();
                    return (events, answer[0].clone());
                }
                None => events.push(event_of(&packet)),
            }
        }
    }

    /// Asks for something that is not refused; what comes before the answer is passed over.
    pub async fn done(&mut self, event: &str, data: Value) -> Value {
        let (_, answer) = self.ask(event, data).await;
        assert_eq!(answer["error"], json!(null), "{event}");
        answer
    }

    /// The next so many logged events.
    pub async fn logged(&mut self, many: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < many {
            // A history has a number as well
            let is_logged = |event: &Event| event.data["seq"].is_number() && event.name != "chat:history";
            events.extend(self.event().await.filter(is_logged));
            assert!(!self.is_over, "it is over after {events:?}");
        }
        events
    }

    /// The next event; `None`: it is over.
    pub async fn event(&mut self) -> Option<Event> {
        self.packet().await.map(|packet| event_of(&packet))
    }

    /// The next packet of Socket.IO; pings are answered on the way. `None`: it is over.
    async fn packet(&mut self) -> Option<String> {
        while self.waiting.is_empty() && !self.is_over {
            let packets = match &mut self.line {
                Line::Polling { client, url } => {
                    let answer = client.get(url.as_str()).timeout(DEADLINE).send().await.unwrap();
                    assert_eq!(answer.status().as_u16(), 200);
                    answer.text().await.unwrap()
                }
                Line::Socket(socket) => socket.next_text(DEADLINE).await.unwrap_or_else(|| "1".to_owned()),
            };
            let packets: Vec<_> = packets.split('\u{1e}').map(str::to_owned).collect();
            self.most = self.most.max(packets.len());
            for packet in packets {
                match packet.split_at(1) {
                    ("4", packet) => self.waiting.push_back(packet.to_owned()),
                    ("2", _) => self.post("3").await,
                    ("1", _) => self.is_over = true,
                    ("0" | "6", _) => {}
                    _ => panic!("{packet:?}"),
                }
            }
        }
        self.waiting.pop_front()
    }

    async fn send(&mut self, packet: &str) {
        self.post(&format!("4{packet}")).await;
    }

    async fn post(&mut self, packet: &str) {
        match &mut self.line {
            Line::Polling { client, url } => {
                let answer = client.post(url.as_str()).body(packet.to_owned()).send().await.unwrap();
                assert_eq!(answer.text().await.unwrap(), "ok");
            }
            Line::Socket(socket) => socket.send_text(packet).await,
        }
    }
}

async fn open(pod: SocketAddr, way: Way) -> Line {
    if way == Way::Socket {
        let path = "/socket.io/?EIO=4&transport=websocket";
        return Line::Socket(WsClient::connect(pod, path, &[]).await.unwrap().into());
    }
    let (client, url) = (Client::new(), format!("http://{pod}/socket.io/?EIO=4&transport=polling"));
    let greeting = client.get(url.as_str()).send().await.unwrap().text().await.unwrap();
    let greeting: Value = serde_json::from_str(&greeting[1..]).unwrap();
    Line::Polling { client, url: format!("{url}&sid={}", greeting["sid"].as_str().unwrap()) }
}

fn event_of(packet: &str) -> Event {
    let packet = packet.strip_prefix('2').unwrap_or_else(|| panic!("no event: {packet}"));
    let arguments: Vec<Value> = serde_json::from_str(packet).unwrap();
    let [name, data, offset @ ..] = arguments.as_slice() else { panic!("{packet}") };
    assert!(offset.len() <= 1, "{packet}");
    let offset = offset.first().map(|offset| offset.as_str().unwrap().to_owned());
    Event { name: name.as_str().unwrap().to_owned(), data: data.clone(), offset }
}
