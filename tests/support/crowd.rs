//! People at parties while pods come and go: screens that come back, to whichever pod lives, with the last number that
//! they have; and requests that are repeated until they are acknowledged.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

use super::{
    DEADLINE,
    client::{self, Client, RequestBuilder},
    database::connected,
    gathering::form,
    pictures,
    poll::eventually,
    screen::brief,
    stage::{Somebody, Stage},
    ws::{Received, WsClient},
};

/// From an attempt that failed to the next.
pub const AGAIN: Duration = Duration::from_millis(50);
/// How long anything may take on a busy machine: only a test that fails takes it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Where the pods are, as far as anybody knows.
pub struct Pods(Vec<Cell<Option<SocketAddr>>>);

impl Pods {
    /// So many, of which none is known yet.
    pub fn unknown(count: usize) -> Self {
        Self((0..count).map(|_| Cell::default()).collect())
    }

    /// One has come, or is known to be gone.
    pub fn set(&self, nth: usize, pod: Option<SocketAddr>) {
        self.0[nth].set(pod);
    }

    /// Where one is, if it lives.
    pub fn get(&self, nth: usize) -> Option<SocketAddr> {
        self.0[nth].get()
    }

    /// Those that live.
    pub fn all(&self) -> Vec<SocketAddr> {
        self.0.iter().filter_map(Cell::get).collect()
    }

    /// One that lives: `preferred`, or the next after it.
    pub async fn living(&self, preferred: usize) -> SocketAddr {
        let turns = || self.0.iter().cycle().skip(preferred % self.0.len()).take(self.0.len());
        eventually(PATIENCE, "a pod lives", async || turns().find_map(Cell::get)).await
    }

    /// Asks whichever pod lives until it is acknowledged. Every time it is the same, so that it is done once.
    pub async fn insist(
        &self,
        who: &Somebody,
        nth: usize,
        ask: impl Fn(SocketAddr) -> RequestBuilder,
    ) -> Value {
        let until = Instant::now() + PATIENCE;
        for attempt in nth.. {
            assert!(Instant::now() < until, "not acknowledged");
            let request = ask(self.living(attempt).await).header("authorization", &who.bearer);
            // A pod that was killed says nothing
            if let Ok(answer) = request.timeout(DEADLINE).send().await {
                let status = answer.status().as_u16();
                match (status, answer.json::<Value>().await) {
                    (200 | 201, Ok(body)) => return body["data"].clone(),
                    (503 | 504, _) | (_, Err(_)) => {}
                    (status, Ok(body)) => panic!("{status}: {body}"),
                }
            }
            sleep(AGAIN).await;
        }
        unreachable!("the attempts have no end");
    }

    /// All are healthy.
    pub async fn all_are_well(&self) {
        for pod in self.all() {
            let url = format!("http://{pod}/health");
            eventually(PATIENCE, "all is well", async || {
                let health = client::get(&url).await.unwrap().json::<Value>().await.unwrap();
                health["status"] == "healthy"
            })
            .await;
        }
    }
}

/// One thing after the other, at an even pace; what is late is not made up for.
pub fn paced(pace: Duration) -> Interval {
    let mut paced = interval(pace);
    paced.set_missed_tick_behavior(MissedTickBehavior::Delay);
    paced
}

/// A party, and what was acknowledged of what is said and brought there.
pub struct Gathering<'a> {
    /// The party.
    pub id: Uuid,
    pods: &'a Pods,
    client: Client,
    /// Of messages their number and id.
    messages: RefCell<Vec<(i64, String)>>,
    /// Of photos their id.
    photos: RefCell<Vec<String>>,
    /// How often somebody who follows has heard something.
    heard: Cell<usize>,
    /// The last number there will be, once it is known.
    last: watch::Sender<Option<i64>>,
}

impl<'a> Gathering<'a> {
    /// One at which nobody has said anything.
    pub fn new(id: Uuid, pods: &'a Pods) -> Self {
        let (messages, photos) = (RefCell::default(), RefCell::default());
        let (heard, last) = (Cell::new(0), watch::Sender::new(None));
        Self { id, pods, client: Client::new(), messages, photos, heard, last }
    }

    /// How much was said.
    pub fn said(&self) -> usize {
        self.messages.borrow().len()
    }

    /// How often somebody who follows has heard something that is logged.
    pub fn heard(&self) -> usize {
        self.heard.get()
    }

    /// Says something, with a name of its own.
    pub async fn say(&self, who: &Somebody, name: usize, number: usize) {
        let body = json!({ "content": format!("{name}: {number}"), "clientId": format!("{name}-{number}") });
        let path = format!("/api/v1/parties/{}/chat/messages", self.id);
        let ask = |pod| self.client.post(format!("http://{pod}{path}")).json(&body);
        let message = self.pods.insist(who, name + number, ask).await["message"].clone();
        let said = (message["seq"].as_i64().unwrap(), message["id"].as_str().unwrap().to_owned());
        self.messages.borrow_mut().push(said);
    }

    /// Brings a photo like no other of the same person.
    pub async fn bring(&self, who: &Somebody, number: usize) {
        let photo = pictures::salted_jpeg(320, 240, u32::try_from(number).unwrap());
        let path = format!("/api/v1/parties/{}/media", self.id);
        let ask =
            |pod| self.client.post(format!("http://{pod}{path}")).multipart(form(photo.clone(), "a.jpg"));
        let media = self.pods.insist(who, number, ask).await["media"].clone();
        self.photos.borrow_mut().push(media["id"].as_str().unwrap().to_owned());
    }

    /// Nothing more comes: who follows need not wait longer than for what there is.
    pub async fn end(&self, stage: &Stage) {
        let last = stage.number("SELECT seq FROM parties WHERE id = $1", self.id).await;
        self.last.send_replace(Some(last));
    }

    /// What was acknowledged is in the log, once, and nothing else is. Gives the log.
    pub async fn is_in_the_log(&self, stage: &Stage) -> Vec<(i64, String)> {
        let events = stage.events(self.id).await;
        let numbers: Vec<_> = events.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(numbers, (1..=events.len().try_into().unwrap()).collect::<Vec<i64>>());
        let subjects = async |kind: &str| -> BTreeSet<String> {
            let of = "SELECT subject_id::text FROM events WHERE party_id = $1 AND kind = $2";
            connected(stage.url(), async |client| {
                let rows = client.query(of, &[&self.id, &kind]).await.unwrap();
                let subjects: BTreeSet<_> = rows.iter().map(|row| row.get(0)).collect();
                assert_eq!(subjects.len(), rows.len(), "{kind} of each once");
                subjects
            })
            .await
        };
        let (messages, photos) = (self.messages.borrow().clone(), self.photos.borrow().clone());
        assert!(messages.iter().all(|(seq, _)| events.contains(&(*seq, "chat:new_message".to_owned()))));
        let said: BTreeSet<_> = messages.iter().map(|(_, id)| id.clone()).collect();
        assert_eq!(said, subjects("chat:new_message").await);
        let photos: BTreeSet<_> = photos.into_iter().collect();
        assert_eq!(photos, subjects("party:new_media").await);
        assert_eq!(photos, subjects("party:media_ready").await);
        assert_eq!(events.len(), messages.len() + 2 * photos.len());
        events
    }
}

/// How a session ended: whether it was told when to come back, and the code.
pub type Goodbye = (Option<Duration>, u16);

/// A screen that comes back, to any pod, with the last number that it has.
pub struct Follower {
    who: Somebody,
    preferred: usize,
    attempts: usize,
    epoch: Option<Value>,
    /// The numbers and names of what came.
    pub seen: Vec<(i64, String)>,
    /// How its sessions ended that it did not end itself, and at which pod.
    pub goodbyes: Vec<(SocketAddr, Goodbye)>,
    /// When it was told to come back.
    told: Option<Duration>,
}

impl Follower {
    /// One that begins with the pod `preferred`.
    pub fn new(who: Somebody, preferred: usize) -> Self {
        let (seen, goodbyes) = (Vec::new(), Vec::new());
        Self { who, preferred, attempts: 0, epoch: None, seen, goodbyes, told: None }
    }

    fn last(&self) -> i64 {
        self.seen.last().map_or(0, |(seq, _)| *seq)
    }

    /// Follows until it has everything.
    pub async fn follow(&mut self, at: &Gathering<'_>) {
        let mut last = at.last.subscribe();
        while *last.borrow() != Some(self.last()) {
            let pod = at.pods.living(self.preferred + self.attempts).await;
            self.attempts += 1;
            let headers = [("authorization", self.who.bearer.as_str())];
            if let Ok(mut socket) = WsClient::connect(pod, "/ws", &headers).await {
                let goodbye = self.session(&mut socket, at, &mut last).await;
                self.goodbyes.extend(goodbye.map(|goodbye| (pod, goodbye)));
            }
            sleep(self.told.take().unwrap_or(AGAIN)).await;
        }
    }

    /// Takes what comes until the socket ends, or has brought the last there is.
    async fn session(
        &mut self,
        socket: &mut WsClient,
        at: &Gathering<'_>,
        last: &mut watch::Receiver<Option<i64>>,
    ) -> Option<Goodbye> {
        self.join(socket, at.id).await;
        while *last.borrow_and_update() != Some(self.last()) {
            let received = tokio::select! {
                received = socket.next(PATIENCE) => received,
                _ = last.changed() => continue,
            };
            let frame = match received {
                Received::Json(frame) => frame,
                Received::Closed(code) => return Some((self.told, code)),
                Received::Binary(_) => panic!("nobody has asked for bytes"),
            };
            if frame["seq"].is_number() {
                let event = brief(&frame);
                assert_eq!(event.0, self.last() + 1, "in order, once, and none left out: {frame}");
                self.seen.push(event);
                at.heard.set(at.heard.get() + 1);
            } else if frame["event"] == "server:draining" {
                let after = frame["data"]["reconnectAfterMs"].as_u64().expect("it is told when to come back");
                self.told = Some(Duration::from_millis(after));
            } else if let Some(code) = frame["error"]["code"].as_str() {
                // Not now: never that it has to begin anew
                assert_eq!(code, "UNAVAILABLE", "{frame}");
                sleep(AGAIN).await;
                self.join(socket, at.id).await;
            } else if frame["ack"] == 1 {
                self.epoch = Some(frame["data"]["epoch"].clone());
            }
        }
        None
    }

    async fn join(&self, socket: &mut WsClient, party: Uuid) {
        let mut resume = json!({ "partyId": party, "since": self.last() });
        if let Some(epoch) = &self.epoch {
            resume["epoch"] = epoch.clone();
        }
        socket.try_send_json(&json!({ "id": 1, "event": "party:join_live", "data": resume })).await;
    }
}
