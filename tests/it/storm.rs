//! Two pods while Redis, PostgreSQL, a pod and the hub die in turn: screens on both see everything, in order and once.
//!
//! One pod is a process of its own, to be killed as only a process can be; the other is in this one, whose actors can be
//! made to panic.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use party_gallery::app::Exit;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::{TestApp, Victim},
    client::{Client, RequestBuilder},
    database::connected,
    gathering::form,
    house::{House, UNHURRIED},
    pictures,
    poll::eventually,
    screen::brief,
    stage::{Somebody, Stage},
    ws::{Received, WsClient},
};

const SCREENS: usize = 8;
const TALKERS: usize = 3;
const BRINGERS: usize = 2;
/// From one message or photo of somebody to their next.
const PACE: Duration = Duration::from_millis(100);
/// From an attempt that failed to the next.
const AGAIN: Duration = Duration::from_millis(50);
/// How long something is away: longer than what is done within a second.
const AWAY: Duration = Duration::from_millis(1_200);
/// The whole of it, on a busy machine: only a test that fails takes it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the pods are, as far as anybody knows.
#[derive(Default)]
struct Pods([Cell<Option<SocketAddr>>; 2]);

impl Pods {
    /// One that lives, `preferred` if it does.
    async fn living(&self, preferred: usize) -> SocketAddr {
        eventually(PATIENCE, "a pod lives", async || {
            self.0[preferred % 2].get().or_else(|| self.0[(preferred + 1) % 2].get())
        })
        .await
    }
}

/// What was acknowledged: of messages their number and id, of photos their id.
#[derive(Default)]
struct Acknowledged {
    messages: RefCell<Vec<(i64, String)>>,
    photos: RefCell<Vec<String>>,
}

/// What goes on, and until when.
struct Party {
    id: Uuid,
    pods: Pods,
    client: Client,
    acknowledged: Acknowledged,
    is_over: Cell<bool>,
    /// Everybody has had their last word acknowledged.
    is_silent: Cell<bool>,
    /// The last number there will be, once it is known.
    last: Cell<Option<i64>>,
}

impl Party {
    /// Asks whichever pod lives until it is acknowledged. Every time it is the same, so that it is done once.
    async fn insist(&self, who: &Somebody, nth: usize, ask: impl Fn(SocketAddr) -> RequestBuilder) -> Value {
        let until = Instant::now() + PATIENCE;
        for attempt in nth.. {
            assert!(Instant::now() < until, "not acknowledged");
            let request = ask(self.pods.living(attempt).await).header("authorization", &who.bearer);
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

    /// Says one thing after the other until the party is over.
    async fn talk(&self, who: &Somebody, name: usize) {
        let mut number = 0;
        while !self.is_over.get() {
            number += 1;
            let body =
                json!({ "content": format!("{name}: {number}"), "clientId": format!("{name}-{number}") });
            let path = format!("/api/v1/parties/{}/chat/messages", self.id);
            let ask = |pod| self.client.post(format!("http://{pod}{path}")).json(&body);
            let message = self.insist(who, number, ask).await["message"].clone();
            let said = (message["seq"].as_i64().unwrap(), message["id"].as_str().unwrap().to_owned());
            self.acknowledged.messages.borrow_mut().push(said);
            sleep(PACE).await;
        }
    }

    /// Brings one photo after the other until the party is over.
    async fn bring(&self, who: &Somebody) {
        let mut number = 0;
        while !self.is_over.get() {
            number += 1;
            let photo = pictures::salted_jpeg(320, 240, u32::try_from(number).unwrap());
            let path = format!("/api/v1/parties/{}/media", self.id);
            let ask =
                |pod| self.client.post(format!("http://{pod}{path}")).multipart(form(photo.clone(), "a.jpg"));
            let media = self.insist(who, number, ask).await["media"].clone();
            self.acknowledged.photos.borrow_mut().push(media["id"].as_str().unwrap().to_owned());
            sleep(3 * PACE).await;
        }
    }

    fn said(&self) -> usize {
        self.acknowledged.messages.borrow().len()
    }

    /// So much more is acknowledged.
    async fn goes_on(&self) {
        let enough = self.said() + 2 * TALKERS;
        eventually(PATIENCE, "the talk goes on", async || self.said() >= enough).await;
    }

    async fn all_is_well(&self) {
        for pod in &self.pods.0 {
            let url = format!("http://{}/health", pod.get().unwrap());
            eventually(PATIENCE, "all is well", async || {
                let health = self.client.get(&url).send().await.unwrap().json::<Value>().await.unwrap();
                health["status"] == "healthy"
            })
            .await;
        }
    }
}

/// A screen that comes back, to any pod, with the last number that it has.
struct Follower {
    who: Somebody,
    preferred: usize,
    epoch: Option<Value>,
    seen: Vec<(i64, String)>,
    sessions: usize,
}

impl Follower {
    fn last(&self) -> i64 {
        self.seen.last().map_or(0, |(seq, _)| *seq)
    }

    /// Follows until it has everything.
    async fn follow(&mut self, party: &Party) {
        while party.last.get() != Some(self.last()) {
            let pod = party.pods.living(self.preferred + self.sessions).await;
            self.sessions += 1;
            let headers = [("authorization", self.who.bearer.as_str())];
            if let Ok(mut socket) = WsClient::connect(pod, "/ws", &headers).await {
                self.session(&mut socket, party).await;
            }
            sleep(AGAIN).await;
        }
    }

    /// Takes what comes until the socket ends, is refused its room, or has brought the last there is.
    async fn session(&mut self, socket: &mut WsClient, party: &Party) {
        let mut resume = json!({ "partyId": party.id, "since": self.last() });
        if let Some(epoch) = &self.epoch {
            resume["epoch"] = epoch.clone();
        }
        socket.try_send_json(&json!({ "id": 1, "event": "party:join_live", "data": resume })).await;
        while party.last.get() != Some(self.last()) {
            // Also looks up when nothing comes
            let Ok(received) = timeout(AGAIN, socket.next(PATIENCE)).await else { continue };
            let frame = match received {
                Received::Json(frame) => frame,
                Received::Closed(_) => return,
                Received::Binary(_) => panic!("nobody has asked for bytes"),
            };
            if frame["seq"].is_number() {
                let event = brief(&frame);
                assert_eq!(event.0, self.last() + 1, "in order, once, and none left out: {frame}");
                self.seen.push(event);
            } else if frame["ack"] == 1 {
                if let Some(code) = frame["error"]["code"].as_str() {
                    // Not now: never that it has to begin anew
                    assert_eq!(code, "UNAVAILABLE", "{frame}");
                    return;
                }
                self.epoch = Some(frame["data"]["epoch"].clone());
            }
        }
    }
}

/// What dies, one after the other, while the party goes on.
async fn storm(party: &Party, house: &mut House, mut there: TestApp) {
    let (here, address) = house.pod(&[]).await;
    party.pods.0[0].set(Some(address));
    party.goes_on().await;

    house.redis.kill9();
    sleep(AWAY).await;
    party.goes_on().await;
    there.panic(Victim::Hub).await;
    party.goes_on().await;
    house.redis.start_again().await;
    party.goes_on().await;

    house.postgres.kill9();
    sleep(AWAY).await;
    there.panic(Victim::Database).await;
    house.postgres.start_again().await;
    party.goes_on().await;

    here.signal("KILL");
    drop(here);
    // Clients still go there for a while
    sleep(AWAY / 4).await;
    party.pods.0[0].set(None);
    there.panic(Victim::Hub).await;
    party.goes_on().await;
    let (_here, address) = house.pod(&[]).await;
    party.pods.0[0].set(Some(address));
    party.goes_on().await;

    house.postgres.freeze();
    sleep(AWAY).await;
    house.postgres.thaw();
    party.goes_on().await;
    party.all_is_well().await;

    // And one goes in peace
    party.pods.0[1].set(None);
    assert_eq!(there.stop().await, Exit::Clean);
    party.goes_on().await;
    party.is_over.set(true);

    let number = async |sql: &str| -> i64 {
        connected(house.postgres.url(), async |client| client.query_one(sql, &[]).await.unwrap().get(0)).await
    };
    eventually(PATIENCE, "everything that was said and brought is done", async || {
        party.is_silent.get() && number("SELECT count(*) FROM jobs").await == 0
    })
    .await;
    party.last.set(Some(number("SELECT seq FROM parties").await));
    // The pod outlives those who follow
    eventually(PATIENCE, "all have everything", async || party.pods.0[0].get().is_none()).await;
}

async fn people(stage: &Stage, party: Uuid, many: usize) -> Vec<Somebody> {
    let mut people = Vec::new();
    for _ in 0..many {
        people.push(stage.guest(party).await);
    }
    people
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_missed_whatever_dies() {
    let mut house = House::start().await;
    let stage = house.stage();
    let storage = house.storage_url();
    let variables = [&UNHURRIED[..], &[("STORAGE_URL", storage.as_str())]].concat();
    let there = stage.pod_with(house.redis.url(), &variables).await;
    eventually(DEADLINE, "it is ready", async || there.get("/health/ready").await.0 == 200).await;
    let id = stage.party(&stage.user().await, "LIVE", true).await;
    let (talkers, bringers) = (people(&stage, id, TALKERS).await, people(&stage, id, BRINGERS).await);
    let watchers = people(&stage, id, SCREENS).await.into_iter().enumerate();
    let mut screens: Vec<_> = watchers
        .map(|(preferred, who)| Follower { who, preferred, epoch: None, seen: Vec::new(), sessions: 0 })
        .collect();
    let party = Party {
        id,
        pods: Pods::default(),
        client: Client::new(),
        acknowledged: Acknowledged::default(),
        is_over: Cell::new(false),
        is_silent: Cell::new(false),
        last: Cell::new(None),
    };
    party.pods.0[1].set(Some(there.address()));

    let life = async {
        let talk = join_all(talkers.iter().enumerate().map(|(name, who)| party.talk(who, name)));
        let bring = join_all(bringers.iter().map(|who| party.bring(who)));
        let words = async {
            tokio::join!(talk, bring);
            party.is_silent.set(true);
        };
        let follow = join_all(screens.iter_mut().map(|screen| screen.follow(&party)));
        tokio::join!(words, follow);
        party.pods.0[0].set(None);
    };
    tokio::join!(storm(&party, &mut house, there), life);

    // What was acknowledged is in the log, once, and nothing else is
    let events = stage.events(id).await;
    let numbers: Vec<_> = events.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=events.len().try_into().unwrap()).collect::<Vec<i64>>());
    let subjects = async |kind: &str| -> BTreeSet<String> {
        let of = "SELECT subject_id::text FROM events WHERE party_id = $1 AND kind = $2";
        connected(house.postgres.url(), async |client| {
            let rows = client.query(of, &[&id, &kind]).await.unwrap();
            let subjects: BTreeSet<_> = rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(subjects.len(), rows.len(), "{kind} of each once");
            subjects
        })
        .await
    };
    let messages = party.acknowledged.messages.take();
    assert!(messages.iter().all(|(seq, _)| events.contains(&(*seq, "chat:new_message".to_owned()))));
    assert_eq!(
        messages.iter().map(|(_, id)| id.clone()).collect::<BTreeSet<_>>(),
        subjects("chat:new_message").await
    );
    let photos: BTreeSet<_> = party.acknowledged.photos.take().into_iter().collect();
    assert_eq!(
        (&photos, &photos),
        (&subjects("party:new_media").await, &subjects("party:media_ready").await)
    );
    assert_eq!(events.len(), messages.len() + 2 * photos.len());
    // And every screen has seen the log
    for screen in &screens {
        assert_eq!(screen.seen, events, "{} sessions", screen.sessions);
        assert!(screen.sessions > 1, "each lost its pod at least once");
    }
}
