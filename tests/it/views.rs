//! Looks at a photo: each caller counts once an hour, on whichever pod.

use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client,
    own::OwnRedis,
    poll::eventually,
    stage::{Somebody, Stage, ask, stop},
};

/// A photo that may be shown, and somebody who may see it.
async fn photo(stage: &Stage) -> (Uuid, Uuid, Somebody) {
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    (party, stage.photo(party, &host, "READY").await, host)
}

async fn look(pod: &TestApp, caller: Option<&Somebody>, photo: Uuid) {
    let reply = ask(pod, caller, reqwest::Method::GET, &format!("/api/v1/media/{photo}"), &[], None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// What the party's page says of its only photo: a page is no look at one.
async fn views(pod: &TestApp, party: Uuid) -> i64 {
    let path = format!("/api/v1/parties/{party}/media");
    let reply = ask(pod, None, reqwest::Method::GET, &path, &[], None).await;
    reply.body["data"][0]["viewsCount"].as_i64().unwrap_or_else(|| panic!("{reply:?}"))
}

async fn become_known(pod: &TestApp, party: Uuid, count: i64) {
    eventually(DEADLINE, &format!("{count} are counted"), async || {
        let views = views(pod, party).await;
        assert!(views <= count, "{views} are counted and not {count}");
        views == count
    })
    .await;
}

/// How many looks that pod has counted itself.
async fn counted(pod: &TestApp) -> String {
    let scrape = client::get(pod.url("/metrics")).await.unwrap().text().await.unwrap();
    let line =
        scrape.lines().find_map(|line| line.strip_prefix("party_gallery_views_total{outcome=\"counted\"} "));
    line.unwrap().to_owned()
}

#[tokio::test]
async fn a_caller_counts_once_whichever_pod_they_ask_and_however_often() {
    let (stage, redis) = (Stage::new().await, OwnRedis::start().await);
    let (here, there) = (stage.pod(redis.url()).await, stage.pod(redis.url()).await);
    let (party, photo, host) = photo(&stage).await;
    let guest = stage.guest(party).await;
    for _ in 0..3 {
        look(&here, Some(&host), photo).await;
        look(&here, Some(&guest), photo).await;
    }
    become_known(&here, party, 2).await;
    // The next is known as an address
    look(&there, None, photo).await;
    become_known(&there, party, 3).await;
    for (pod, other) in [(&here, &there), (&there, &here)] {
        for caller in [Some(&host), Some(&guest), None] {
            look(pod, caller, photo).await;
            look(other, caller, photo).await;
        }
    }
    // Whatever waits on these pods is counted with, or before, one more of theirs
    for (pod, count) in [(&here, 4), (&there, 5)] {
        look(pod, Some(&stage.user().await), photo).await;
        become_known(pod, party, count).await;
    }
    assert_eq!((counted(&here).await.as_str(), counted(&there).await.as_str()), ("3.0", "2.0"));
    // Nobody's address is in Redis
    let keys: Vec<String> = keys(&redis).await;
    assert_eq!(keys.len(), 5, "{keys:?}");
    assert!(
        keys.iter().all(|key| key.strip_prefix("pg:view:").is_some_and(|mark| mark.len() == 32)),
        "{keys:?}"
    );
    stop(here).await;
    stop(there).await;
}

async fn keys(redis: &OwnRedis) -> Vec<String> {
    use party_gallery_actors::redis::driver::{Client, cmd};
    let client = Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    cmd("KEYS").arg("pg:view:*").query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn without_redis_photos_are_shown_and_each_pod_counts_what_it_sees() {
    let (stage, mut redis) = (Stage::new().await, OwnRedis::start().await);
    let pod = stage.pod(redis.url()).await;
    let (party, photo, host) = photo(&stage).await;
    look(&pod, Some(&host), photo).await;
    become_known(&pod, party, 1).await;
    redis.kill9();
    for _ in 0..3 {
        look(&pod, Some(&host), photo).await;
        look(&pod, None, photo).await;
    }
    // Who was counted before is remembered
    become_known(&pod, party, 2).await;
    look(&pod, Some(&host), photo).await;
    look(&pod, Some(&stage.user().await), photo).await;
    become_known(&pod, party, 3).await;
    stop(pod).await;
}

#[tokio::test]
async fn what_is_not_ready_is_not_looked_at() {
    let (stage, redis) = (Stage::new().await, OwnRedis::start().await);
    let pod = stage.pod(redis.url()).await;
    let (party, ready, host) = photo(&stage).await;
    let waiting = stage.photo(party, &host, "PROCESSING").await;
    look(&pod, Some(&host), waiting).await;
    look(&pod, Some(&host), ready).await;
    become_known(&pod, party, 1).await;
    assert_eq!(keys(&redis).await.len(), 1);
    assert_eq!(counted(&pod).await, "1.0");
    stop(pod).await;
}
