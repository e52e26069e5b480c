//! Against a real cluster: what its users see when its nodes die, hang, and give their slots away.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use bytes::Bytes;
use redis::Script;
use tokio::time::timeout;

use super::{MS, NOISE, Pod, SOON, cluster::Cluster, until};
use crate::redis::{Config, Place};

/// A failover takes the cluster seconds; only a test that fails takes this.
const PATIENCE: Duration = Duration::from_secs(60);
const TOPICS: usize = 60;

/// With time for a machine that is busy with all the nodes.
fn config(cluster: &Cluster) -> Config {
    let mut config = Config::at(Place::Cluster(cluster.urls()));
    config.command_deadline = SOON;
    config
}

fn topic(n: usize) -> String {
    format!("party:{n}")
}

impl Pod {
    async fn on(cluster: &Cluster) -> Self {
        let pod = Self::connected_with(&config(cluster)).await;
        for n in 0..TOPICS {
            pod.redis.subscribe(&topic(n));
        }
        pod.redis.settled().await.unwrap();
        pod
    }

    async fn healed_in_the_end(&self) {
        let mut outage = self.redis.breaker().watch();
        timeout(PATIENCE, outage.wait_for(Option::is_none)).await.expect("Redis is not reached").unwrap();
    }

    /// All topics are heard, each once.
    async fn assert_hears_all(&self) {
        self.heard.take();
        let batch: Vec<_> = (0..TOPICS).map(|n| (topic(n), b"hello".to_vec())).collect();
        self.redis.publish_all(batch).await.unwrap();
        until("all topics are heard", || self.heard.messages.lock().len() >= TOPICS).await;
        let heard = self.heard.take();
        assert_eq!(heard.len(), TOPICS, "{heard:?}");
        assert_eq!(heard.into_iter().map(|(topic, _)| topic).collect::<BTreeSet<_>>().len(), TOPICS);
    }
}

#[tokio::test]
async fn a_cluster_serves_commands_scripts_and_pipelines_over_all_its_slots() {
    let cluster = Cluster::running().await;
    let pod = Pod::connected_with(&config(&cluster)).await;
    assert_eq!([pod.count().await.unwrap(), pod.count().await.unwrap()], [1, 2]);
    let mut pipe = redis::pipe();
    for n in 0..300 {
        pipe.cmd("SET").arg(format!("key:{n}")).arg(n).ignore();
    }
    for n in 0..300 {
        pipe.cmd("GET").arg(format!("key:{n}"));
    }
    let answers: Vec<u64> = pod.redis.run(async |line| pipe.query_async(line).await).await.unwrap();
    assert_eq!(answers, (0..300).collect::<Vec<u64>>());
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for n in 0..10 {
        let mut call = script.prepare_invoke();
        call.key(format!("sum:{n}")).arg(n);
        let sum: u64 = pod.redis.run(async |line| call.invoke_async(line).await).await.unwrap();
        assert_eq!(sum, n);
    }
    assert!(pod.redis.check().await.unwrap() < PATIENCE);
    assert_eq!(pod.redis.pool().unwrap().limit, 8);
}

#[tokio::test]
async fn a_subscriber_hears_all_slots_in_the_order_of_each_topic_until_it_leaves() {
    let cluster = Cluster::running().await;
    let pod = Pod::on(&cluster).await;
    pod.assert_hears_all().await;
    for n in 0..100_u32 {
        pod.redis.publish("party:7", &n.to_be_bytes()).await.unwrap();
    }
    until("all arrived", || pod.heard.messages.lock().len() == 100).await;
    let payloads: Vec<_> = pod.heard.take().into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads, (0..100_u32).map(|n| Bytes::copy_from_slice(&n.to_be_bytes())).collect::<Vec<_>>());

    for n in 1..TOPICS {
        pod.redis.unsubscribe(&topic(n));
    }
    pod.redis.settled().await.unwrap();
    assert_eq!(pod.redis.publish("party:1", b"?").await.unwrap(), 0);
    assert_eq!(pod.redis.publish("party:0", b"?").await.unwrap(), 1);
    assert_eq!(pod.heard.gaps(), 0, "to leave is no gap");
    assert_eq!(pod.handle.report().restarts, 0);
}

#[tokio::test]
async fn a_killed_master_is_told_at_once_and_its_replica_takes_over() {
    let mut cluster = Cluster::running().await;
    let pod = Pod::on(&cluster).await;
    let victim = cluster.master_of("party:0");
    cluster.kill(victim);
    let killed = Instant::now();
    assert_eq!(pod.told(Duration::from_secs(1)).await, "connection closed");
    assert!(pod.count().await.unwrap_err().is_unsent());
    assert!(killed.elapsed() < 100 * MS + NOISE, "refused after {:?}", killed.elapsed());
    assert!(pod.redis.check().await.is_err());

    pod.healed_in_the_end().await;
    assert_ne!(cluster.master_of("party:0"), victim);
    until("the gap is told", || pod.heard.gaps() == 1).await;
    pod.assert_hears_all().await;
    pod.count().await.unwrap();
    pod.redis.check().await.unwrap();

    // It comes back as a replica, which nobody notices
    cluster.start_again().await;
    cluster.whole().await;
    assert_eq!(pod.redis.outage(), None);
    pod.assert_hears_all().await;
    assert_eq!(pod.handle.report().restarts, 0, "an outage is not a crash");
}

#[tokio::test]
async fn a_frozen_master_is_told_in_time_and_its_replica_takes_over() {
    let cluster = Cluster::running().await;
    let pod = Pod::on(&cluster).await;
    let victim = cluster.master_of("party:0");
    cluster.signal(victim, "-STOP");
    assert_eq!(pod.redis.check().await, Err("no answer"));
    pod.told(Duration::from_secs(1) + NOISE).await;
    pod.healed_in_the_end().await;
    pod.assert_hears_all().await;
    cluster.signal(victim, "-CONT");
    cluster.whole().await;
    pod.assert_hears_all().await;
}

#[tokio::test]
async fn a_dead_replica_is_nobodys_business() {
    let mut cluster = Cluster::running().await;
    let pod = Pod::on(&cluster).await;
    cluster.kill(super::cluster::MASTERS);
    pod.assert_hears_all().await;
    pod.redis.check().await.unwrap();
    assert_eq!((pod.redis.outage(), pod.heard.gaps()), (None, 0));
}

#[tokio::test]
async fn topics_follow_their_slots_without_an_outage() {
    let cluster = Cluster::running().await;
    let pod = Pod::on(&cluster).await;
    let outages = pod.redis.breaker().watch();
    for n in 0..5 {
        let before = (pod.heard.gaps(), cluster.master_of(&topic(n)));
        cluster.give_away(&topic(n));
        until("the gap is told", || pod.heard.gaps() > before.0).await;
        assert_ne!(cluster.master_of(&topic(n)), before.1);
        pod.assert_hears_all().await;
        pod.count().await.unwrap();
    }
    assert!(!outages.has_changed().unwrap(), "most of it was there all the time");
}

#[tokio::test]
async fn a_master_that_hands_over_in_peace_is_followed() {
    let cluster = Cluster::running().await;
    let pod = Pod::on(&cluster).await;
    let master = cluster.master_of("party:0");
    cluster.hand_over(master + super::cluster::MASTERS);
    until("the replica has taken over", || cluster.master_of("party:0") != master).await;
    cluster.whole().await;
    pod.healed_in_the_end().await;
    pod.redis.settled().await.unwrap();
    pod.assert_hears_all().await;
    pod.count().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_was_gone_is_found_again() {
    let mut cluster = Cluster::running().await;
    let pod = Pod::on(&cluster).await;
    cluster.kill_all();
    pod.told(Duration::from_secs(1)).await;
    cluster.start_again().await;
    pod.healed_in_the_end().await;
    until("the gap is told", || pod.heard.gaps() == 1).await;
    pod.assert_hears_all().await;
}
