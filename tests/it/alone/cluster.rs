//! Pods on a Redis Cluster: what they share over it, and what their screens see while its nodes die.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client::Client,
    cluster::{Cluster, MASTERS},
    house::UNHURRIED,
    pod::Pod,
    poll::eventually,
    screen::{Screen, say},
    stage::{Somebody, Stage, ask, stop},
};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(750);
/// What is said while Redis is away is seen within this.
const WORST: Duration = Duration::from_secs(1);
/// From one message to the next: twenty a second.
const PACE: Duration = Duration::from_millis(50);
const SCREENS: usize = 3;
/// A failover takes the cluster seconds; only a test that fails takes this.
const PATIENCE: Duration = Duration::from_secs(60);

async fn pods(stage: &Stage, cluster: &Cluster, more: &[(&str, &str)]) -> [TestApp; 2] {
    let pods = [stage.pod_with(&cluster.url(), more).await, stage.pod_with(&cluster.url(), more).await];
    for pod in &pods {
        redis_becomes(pod, "healthy").await;
    }
    pods
}

async fn redis_becomes(pod: &TestApp, status: &str) -> Value {
    eventually(PATIENCE, &format!("Redis is {status}"), async || {
        let health = pod.get("/health").await.1;
        (health["checks"]["redis"]["status"] == status).then_some(health)
    })
    .await
}

#[tokio::test]
async fn pods_on_a_cluster_share_events_presence_limits_and_looks() {
    let (stage, cluster) = (Stage::new().await, Cluster::running().await);
    let [here, there] = pods(&stage, &cluster, &[("RATE_CHAT", "5/h")]).await;
    let host = stage.user().await;
    // On different masters, most likely
    for _ in 0..MASTERS {
        let party = stage.party(&host, "LIVE", false).await;
        let guest = stage.guest(party).await;
        let (mut near, mut far) = (Screen::of(&here, &host).await, Screen::of(&there, &guest).await);
        near.join(party).await;
        far.join(party).await;
        // Who came there is told here
        eventually(DEADLINE, "the guest is seen here", async || {
            near.settled().await;
            near.join(party).await["viewerCount"] == 2
        })
        .await;
        let message = say(&here, &guest, party, "hello").await;
        assert_eq!(far.logged().await["data"], message, "the Message of REST");

        let photo = stage.shown(party, &host).await;
        for pod in [&here, &there, &here] {
            let path = format!("/api/v1/media/{photo}");
            assert_eq!(ask(pod, Some(&guest), Method::GET, &path, &[], None).await.status, 200);
        }
        let other = stage.guest(party).await;
        for (pod, count) in [(&here, 2), (&there, 3)] {
            // Whatever waits on a pod is counted with, or before, one more of its looks
            let looker = if count == 2 { &other } else { &host };
            let path = format!("/api/v1/media/{photo}");
            assert_eq!(ask(pod, Some(looker), Method::GET, &path, &[], None).await.status, 200);
            eventually(DEADLINE, "the looks are counted", async || {
                let looks = "SELECT views_count::bigint FROM media WHERE id = $1";
                let looks = stage.number(looks, photo).await;
                assert!(looks <= count, "{looks}");
                looks == count
            })
            .await;
        }
    }

    let party = stage.party(&host, "LIVE", true).await;
    let mut statuses = Vec::new();
    for pod in [&here, &there, &here, &there, &here, &there, &there, &here] {
        let path = format!("/api/v1/parties/{party}/chat/messages");
        let body = Some(json!({ "content": "often" }));
        statuses.push(ask(pod, Some(&host), Method::POST, &path, &[], body).await.status);
    }
    assert_eq!(statuses, [201, 201, 201, 201, 201, 429, 429, 429]);
    stop(here).await;
    stop(there).await;
}

/// A party that goes on, and what was said in it and when.
struct Talk {
    party: Uuid,
    client: Client,
    said: RefCell<Vec<(i64, Instant)>>,
    is_over: Cell<bool>,
    last: Cell<Option<i64>>,
}

impl Talk {
    /// Says one thing after the other, each until it is acknowledged, on either pod.
    async fn go_on(&self, pods: &[TestApp; 2], who: &Somebody) {
        let mut number = 0;
        while !self.is_over.get() {
            let (began, pod) = (Instant::now(), &pods[number % 2]);
            number += 1;
            let said = (self.say(pod, who, number).await, Instant::now());
            self.said.borrow_mut().push(said);
            sleep(PACE.saturating_sub(began.elapsed())).await;
        }
        self.last.set(self.said.borrow().last().map(|(seq, _)| *seq));
    }

    async fn say(&self, pod: &TestApp, who: &Somebody, number: usize) -> i64 {
        let url = format!("http://{}/api/v1/parties/{}/chat/messages", pod.at(), self.party);
        let body = json!({ "content": number.to_string(), "clientId": number.to_string() });
        eventually(DEADLINE, "it is acknowledged", async || {
            let request = self.client.post(&url).header("authorization", &who.bearer).json(&body);
            let answer = request.timeout(DEADLINE).send().await.unwrap();
            match (answer.status().as_u16(), answer.json::<Value>().await.unwrap()) {
                (200 | 201, body) => Some(body["data"]["message"]["seq"].as_i64().unwrap()),
                (503 | 504, _) => None,
                (status, body) => panic!("{status}: {body}"),
            }
        })
        .await
    }

    /// What one screen sees, and when, until it has seen the last.
    async fn follow(&self, screen: &mut Screen) -> Vec<(i64, Instant)> {
        let mut seen: Vec<(i64, Instant)> = Vec::new();
        while self.last.get().is_none() || seen.last().map(|(seq, _)| *seq) < self.last.get() {
            // Also looks up when nothing comes
            if let Ok(event) = timeout(PACE, screen.logged()).await {
                seen.push((event["seq"].as_i64().unwrap(), Instant::now()));
            }
        }
        seen
    }

    async fn more(&self, messages: usize) {
        let enough = self.said.borrow().len() + messages;
        eventually(PATIENCE, "the talk goes on", async || self.said.borrow().len() >= enough).await;
    }
}

#[tokio::test]
async fn screens_see_everything_in_order_and_once_while_nodes_die() {
    let (stage, mut cluster) = (Stage::new().await, Cluster::running().await);
    let more = [&UNHURRIED[..], &[("READY_REQUIRES", "database")]].concat();
    let pods = pods(&stage, &cluster, &more).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut screens = Vec::new();
    for pod in &pods {
        for _ in 0..SCREENS {
            let mut screen = Screen::of(pod, &stage.guest(party).await).await;
            screen.join(party).await;
            screens.push(screen);
        }
    }
    let talk = Talk {
        party,
        client: Client::new(),
        said: RefCell::default(),
        is_over: Cell::new(false),
        last: Cell::new(None),
    };
    let storm = async {
        talk.more(20).await;
        // The node on which pods tell each other of this party
        let victim = cluster.master_of(&format!("live:{:032x}", party.as_u128()));
        cluster.kill(victim);
        for pod in &pods {
            let health = redis_becomes(pod, "unhealthy").await;
            assert_eq!(health["status"], "degraded");
        }
        talk.more(20).await;
        for pod in &pods {
            redis_becomes(pod, "healthy").await;
        }
        assert_ne!(cluster.master_of(&format!("live:{:032x}", party.as_u128())), victim);
        talk.more(20).await;
        cluster.kill_all();
        for pod in &pods {
            redis_becomes(pod, "unhealthy").await;
        }
        talk.more(20).await;
        cluster.start_again().await;
        for pod in &pods {
            redis_becomes(pod, "healthy").await;
        }
        talk.more(20).await;
        talk.is_over.set(true);
    };
    let follow = join_all(screens.iter_mut().map(|screen| talk.follow(screen)));
    let (_, _, seen) = tokio::join!(storm, talk.go_on(&pods, &host), follow);

    let said = talk.said.take();
    let numbers: Vec<i64> = (1..=said.len().try_into().unwrap()).collect();
    assert_eq!(said.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), numbers);
    for seen in seen {
        assert_eq!(seen.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), numbers);
        let waits =
            said.iter().zip(&seen).map(|((_, said), (_, seen))| seen.saturating_duration_since(*said));
        let worst = waits.max().unwrap();
        assert!(worst < WORST + NOISE, "seen after {worst:?}");
    }
    for pod in pods {
        stop(pod).await;
    }
}
