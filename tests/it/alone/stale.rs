//! Gallery pages while PostgreSQL is away: public ones as they were, private ones not at all.

use std::time::{Duration, Instant};

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client,
    own::OwnPostgres,
    poll::eventually,
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(500);
/// Where nobody listens.
const NO_REDIS: &str = "redis://127.0.0.1:1";

async fn get(pod: &TestApp, caller: Option<&Somebody>, path: &str, headers: &[(&str, &str)]) -> Reply {
    ask(pod, caller, Method::GET, path, headers, None).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

fn gallery(party: Uuid) -> String {
    format!("/api/v1/parties/{party}/media")
}

/// A pod that is ready, on a database of which it has brought up the schema.
async fn pod(stage: &Stage, redis: &str) -> TestApp {
    let pod = stage.pod_with(redis, &[("READY_REQUIRES", "database")]).await;
    eventually(DEADLINE, "the pod is ready", async || pod.get("/health/ready").await.0 == 200).await;
    pod
}

/// How many pages a pod keeps.
async fn kept(pod: &TestApp) -> f64 {
    let scrape = client::get(pod.url("/metrics")).await.unwrap().text().await.unwrap();
    let value = scrape.lines().find_map(|line| line.strip_prefix("party_gallery_gallery_pages "));
    value.unwrap().parse().unwrap()
}

#[tokio::test]
async fn who_has_seen_a_public_page_sees_it_again_while_postgres_is_away_and_nobody_else_does() {
    let mut postgres = OwnPostgres::start().await;
    let stage = Stage::at(postgres.url());
    let pod = pod(&stage, &fresh_redis().await).await;
    let host = stage.user().await;
    let (public, private) = (stage.party(&host, "LIVE", false).await, stage.party(&host, "LIVE", true).await);
    let draft = stage.party(&host, "DRAFT", false).await;
    for party in [public, private, draft] {
        stage.photo(party, &host, "READY").await;
    }
    let hidden = format!("{}?status=HIDDEN", gallery(public));
    let first = get(&pod, None, &gallery(public), &[]).await;
    let own = get(&pod, Some(&host), &gallery(public), &[]).await;
    for path in [gallery(private), gallery(draft), hidden.clone()] {
        assert_eq!(get(&pod, Some(&host), &path, &[]).await.status, 200);
    }
    for reply in [&first, &own] {
        assert_eq!((reply.status, header(&reply.headers, "x-stale")), (200, None), "{reply:?}");
        assert_eq!(reply.body["data"].as_array().unwrap().len(), 1);
    }
    assert_eq!(kept(&pod).await, 2.0);

    postgres.kill9();
    let killed = Instant::now();
    let stale = eventually(DEADLINE, "the page is shown", async || {
        let reply = get(&pod, None, &gallery(public), &[]).await;
        // One of less than a second ago is fresh
        (reply.status == 200 && header(&reply.headers, "x-stale").is_some()).then_some(reply)
    })
    .await;
    assert!(killed.elapsed() < Duration::from_secs(1) + NOISE, "after {:?}", killed.elapsed());
    assert_eq!(header(&stale.headers, "x-stale"), Some("1"));
    let age: u64 = header(&stale.headers, "age").unwrap().parse().unwrap();
    assert!(age <= 60, "{age}");
    let etag = header(&first.headers, "etag").unwrap();
    assert_eq!((&stale.body, header(&stale.headers, "etag")), (&first.body, Some(etag)));
    assert_eq!(header(&stale.headers, "cache-control"), header(&first.headers, "cache-control"));
    // Asked for in other words it is the same page
    let same = format!("{}?sort=newest&limit=20", gallery(public));
    assert_eq!(get(&pod, None, &same, &[]).await.body, first.body);
    let known = get(&pod, None, &gallery(public), &[("if-none-match", etag)]).await;
    assert_eq!((known.status, header(&known.headers, "x-stale")), (304, Some("1")));
    let theirs = get(&pod, Some(&host), &gallery(public), &[]).await;
    assert_eq!((theirs.status, &theirs.body), (200, &own.body), "with what they may do");

    // One with a good token of whom the database has never heard
    let stranger = stage.display();
    let other = format!("{}?limit=7", gallery(public));
    for (caller, path) in [
        (Some(&host), gallery(private)),
        (None, gallery(private)),
        (Some(&host), gallery(draft)),
        (Some(&host), hidden),
        (None, other),
        (Some(&stranger), gallery(public)),
        (None, gallery(Uuid::now_v7())),
    ] {
        let reply = get(&pod, caller, &path, &[]).await;
        assert_eq!((reply.status, reply.body["code"].as_str()), (503, Some("UNAVAILABLE")), "{path}");
        assert!(
            header(&reply.headers, "retry-after").is_some() && header(&reply.headers, "x-stale").is_none()
        );
    }
    // A bad token is nobody's, also now
    let bad = get(&pod, None, &gallery(public), &[("authorization", "Bearer nonsense")]).await;
    assert_eq!(bad.status, 401);

    postgres.start_again().await;
    eventually(DEADLINE, "the page is fresh again", async || {
        let reply = get(&pod, None, &gallery(public), &[]).await;
        assert_eq!(reply.status, 200);
        header(&reply.headers, "x-stale").is_none() && header(&reply.headers, "age").is_none()
    })
    .await;
    stop(pod).await;
}

#[tokio::test]
async fn what_another_pod_has_changed_is_not_shown_as_it_was_with_or_without_redis() {
    for redis in [fresh_redis().await, NO_REDIS.to_owned()] {
        let mut postgres = OwnPostgres::start().await;
        let stage = Stage::at(postgres.url());
        let (here, there) = (pod(&stage, &redis).await, pod(&stage, &redis).await);
        let host = stage.user().await;
        let party = stage.party(&host, "LIVE", false).await;
        let photo = stage.photo(party, &host, "READY").await;
        let read = async || {
            assert_eq!(get(&here, None, &gallery(party), &[]).await.status, 200);
            assert_eq!(kept(&here).await, 1.0);
        };
        let change = async |method, path: String, body: Option<Value>| {
            let reply = ask(&there, Some(&host), method, &path, &[], body).await;
            assert!([200, 204].contains(&reply.status), "{reply:?}");
            eventually(DEADLINE, "it is known here", async || kept(&here).await == 0.0).await;
        };
        read().await;
        change(Method::DELETE, format!("/api/v1/media/{photo}"), None).await;
        read().await;
        change(Method::PATCH, format!("/api/v1/parties/{party}"), Some(json!({ "isPrivate": true }))).await;
        postgres.kill9();
        eventually(DEADLINE, "nothing is shown", async || {
            let reply = get(&here, None, &gallery(party), &[]).await;
            assert_ne!(reply.status, 200, "{reply:?}");
            reply.status == 503
        })
        .await;
        stop(here).await;
        stop(there).await;
    }
}

#[tokio::test]
async fn a_frozen_postgres_is_no_reason_to_wait_either() {
    let mut postgres = OwnPostgres::start().await;
    let stage = Stage::at(postgres.url());
    let pod = pod(&stage, &fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    assert_eq!(get(&pod, None, &gallery(party), &[]).await.status, 200);
    postgres.freeze();
    eventually(DEADLINE, "the page is shown as it was", async || {
        let asked = Instant::now();
        let reply = get(&pod, None, &gallery(party), &[]).await;
        assert!(asked.elapsed() < Duration::from_millis(1_100) + NOISE, "after {:?}", asked.elapsed());
        assert_eq!(reply.status, 200, "{reply:?}");
        // One of less than a second ago is fresh
        header(&reply.headers, "x-stale") == Some("1")
    })
    .await;
    postgres.thaw();
    eventually(DEADLINE, "the page is fresh again", async || {
        header(&get(&pod, None, &gallery(party), &[]).await.headers, "x-stale").is_none()
    })
    .await;
    stop(pod).await;
}
