//! The service: a pod in a process of its own, on a PostgreSQL and a Redis of its own.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    net::SocketAddr,
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::{
    load::Server,
    socket::{Hello, Socket},
    support::{
        client::Client,
        house::House,
        process::{Process, spent},
        stage::{Somebody, Stage},
    },
};

/// About what people say to each other.
const SAID: &str = "Has anybody seen the cake? It was on the table by the window a minute ago.";
const JOINED: &str = r#"{"ack":1,"data""#;

/// A pod, and parties in it.
pub struct Service {
    pod: Process,
    address: SocketAddr,
    house: RefCell<House>,
    stage: Stage,
    parties: RefCell<Vec<Party>>,
    client: Client,
    said: Cell<usize>,
}

struct Party {
    id: Uuid,
    talker: Somebody,
    listeners: Vec<Somebody>,
}

impl Service {
    /// Starts one that nobody has come to.
    pub async fn start() -> Self {
        let house = House::start().await;
        let (pod, address) = house.pod(&[]).await;
        let stage = house.stage();
        let (house, parties) = (RefCell::new(house), RefCell::default());
        Self { pod, address, house, stage, parties, client: Client::new(), said: Cell::new(0) }
    }

    /// What a listener is sent when something is said.
    pub async fn frame(&self) -> String {
        self.open(1, 1).await;
        let mut socket = Socket::connect(self.address, self.hello(0, 0)).await;
        self.say(0).await;
        socket.wait_for(Self::DELIVERY).await
    }
}

impl Server for Service {
    const DELIVERY: &'static str = r#"{"event":"chat:new_message""#;

    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn open(&self, rooms: usize, each: usize) {
        let mut parties = Vec::new();
        for _ in 0..rooms {
            let id = self.stage.party(&self.stage.user().await, "LIVE", true).await;
            let listeners = self.stage.guests(id, each).await;
            parties.push(Party { id, talker: self.stage.guest(id).await, listeners });
        }
        self.parties.replace(parties);
    }

    fn hello(&self, room: usize, nth: usize) -> Hello {
        let parties = self.parties.borrow();
        let Party { id, listeners, .. } = &parties[room];
        let join = json!({ "id": 1, "event": "party:join_live", "data": { "partyId": id } });
        let authorization = format!("Authorization: {}\r\n", listeners[nth].bearer);
        Hello::new("/ws", &authorization, vec![(Some(join.to_string()), JOINED)])
    }

    async fn say(&self, room: usize) {
        let (id, bearer) = {
            let parties = self.parties.borrow();
            (parties[room].id, parties[room].talker.bearer.clone())
        };
        let number = self.said.replace(self.said.get() + 1) % 1_000;
        let url = format!("http://{}/api/v1/parties/{id}/chat/messages", self.address);
        let said = json!({ "content": format!("{number:03} {SAID}") });
        let answer = self.client.post(url).header("authorization", bearer).json(&said).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::CREATED);
    }

    async fn attend(&self) {
        pending().await
    }

    fn spent(&self) -> Duration {
        spent(self.pod.id())
    }

    fn spent_below(&self) -> Duration {
        self.house.borrow_mut().postgres.spent()
    }

    fn resident(&self) -> u64 {
        self.pod.resident()
    }
}
