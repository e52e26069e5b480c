//! Parties begin and end by themselves, once, whichever pod does it; what has expired is forgotten.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use parking_lot::Mutex;
use party_gallery::{
    jobs::clock::Clock,
    service::announce::{Announce, Wake},
};
use party_gallery_actors::{
    database::{self, Database},
    kernel::Supervisor,
    ticker::Task as _,
};
use serde_json::json;
use slog::{Discard, Logger, o};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    database::{MIGRATED, connected, fresh},
    poll::eventually,
    scene::Stage,
};

/// The contract's.
const WITHIN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn two_pods_begin_and_end_each_party_once_and_in_time() {
    let stage = Stage::open(&[]).await;
    let _second = stage.another_pod().await;
    let host = stage.user("ada").await;
    for _ in 0..20 {
        stage.party(&host, json!({})).await;
    }
    let draft = stage.party(&host, json!({ "status": "DRAFT" })).await;
    stage.sql("UPDATE parties SET starts_at = now()").await;
    let due = Instant::now();
    let count = async |status: &str| {
        stage.number(&format!("SELECT count(*) FROM parties WHERE status = '{status}'")).await
    };
    eventually(DEADLINE, "all are LIVE", async || count("LIVE").await == 20).await;
    assert!(due.elapsed() < WITHIN, "{:?}", due.elapsed());

    // Half have an end, half go on for a day
    stage
        .sql(
            "UPDATE parties SET ends_at = now() WHERE status = 'LIVE' AND id IN (SELECT id FROM parties ORDER BY id LIMIT 10);
             UPDATE parties SET started_at = now() - interval '24 hours' WHERE status = 'LIVE' AND ends_at IS NULL",
        )
        .await;
    let due = Instant::now();
    eventually(DEADLINE, "all are ENDED", async || count("ENDED").await == 20).await;
    assert!(due.elapsed() < WITHIN, "{:?}", due.elapsed());

    let each = "SELECT count(*) FROM (SELECT party_id FROM events WHERE kind = 'party:status_changed'
        GROUP BY party_id HAVING array_agg(facts ->> 'status' ORDER BY seq) = '{LIVE,ENDED}' AND max(seq) = 2) AS whole";
    assert_eq!(stage.number(each).await, 20);
    assert_eq!(stage.number("SELECT count(*) FROM events").await, 40, "each once");
    let path = format!("/parties/{}", draft["id"].as_str().unwrap());
    assert_eq!(stage.get(&path, Some(&host)).await.body["data"]["party"]["status"], "DRAFT");
}

/// Notes what is told.
#[derive(Default)]
struct Told(Mutex<Vec<(Uuid, i64)>>);

impl Announce for Told {
    fn announce(&self, party: Uuid, seq: i64) {
        self.0.lock().push((party, seq));
    }
}

impl Wake for Told {
    fn wake(&self) {}
}

#[tokio::test]
async fn eight_clocks_at_the_same_moment_move_and_tell_each_party_once() {
    const PARTIES: usize = 500;
    let url = fresh(&MIGRATED).await;
    let log = Logger::root(Discard, o!());
    let supervisor = Supervisor::start(log.clone()).unwrap();
    let config = database::Config::new(url.parse().unwrap(), NonZeroU32::new(8).unwrap());
    let database = Database::start(&supervisor, config, &log).await.unwrap();
    eventually(DEADLINE, "the database answers", async || database.check().await.is_ok()).await;
    let due = format!(
        "INSERT INTO people (id, is_guest, username, display_name) VALUES (gen_random_uuid(), false, 'ada', 'Ada');
         INSERT INTO parties (id, host_id, title, status, starts_at, is_private)
         SELECT gen_random_uuid(), id, 'Party', 'PLANNED', now(), true FROM people, generate_series(1, {PARTIES})"
    );
    connected(&url, async |client| client.batch_execute(&due).await.unwrap()).await;

    let told = Arc::new(Told::default());
    let clock = || {
        let (announce, wake) = (Arc::clone(&told) as Arc<dyn Announce>, Arc::clone(&told) as Arc<dyn Wake>);
        Clock::new(database.clone(), announce, wake)
    };
    let clocks: Vec<_> = (0..8).map(|_| clock()).collect();
    let runs = join_all(clocks.iter().map(Clock::run)).await;
    assert!(runs.iter().all(Result::is_ok), "{runs:?}");
    let mut parties: Vec<_> = told.0.lock().iter().map(|(party, seq)| (*party, *seq)).collect();
    assert!(parties.iter().all(|(_, seq)| *seq == 1), "once each");
    parties.sort_unstable();
    parties.dedup();
    assert_eq!(parties.len(), PARTIES);
    let events = "SELECT count(*) FROM events";
    let events: i64 =
        connected(&url, async |client| client.query_one(events, &[]).await.unwrap().get(0)).await;
    assert_eq!(events, 500);
    let causes = "SELECT count(DISTINCT payload -> 'cause' ->> 'party') FROM jobs
        WHERE kind = 'notify' AND payload -> 'cause' ->> 'type' = 'PARTY_START' HAVING count(*) = 500";
    let causes: i64 =
        connected(&url, async |client| client.query_one(causes, &[]).await.unwrap().get(0)).await;
    assert_eq!(causes, 500, "told of each once");
}

#[tokio::test]
async fn a_party_that_is_worked_on_holds_up_no_other() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let busy = stage.party(&host, json!({})).await;
    stage.party(&host, json!({})).await;
    let (mut client, connection) = tokio_postgres::connect(stage.database(), NoTls).await.unwrap();
    let hold = async {
        stage.sql("UPDATE parties SET starts_at = now()").await;
        let held = client.transaction().await.unwrap();
        let lock =
            format!("SELECT 1 FROM parties WHERE id = '{}' FOR NO KEY UPDATE", busy["id"].as_str().unwrap());
        held.batch_execute(&lock).await.unwrap();
        let live = "SELECT count(*) FROM parties WHERE status = 'LIVE'";
        eventually(DEADLINE, "the other is LIVE", async || stage.number(live).await == 1).await;
        held.commit().await.unwrap();
        let freed = Instant::now();
        eventually(DEADLINE, "both are LIVE", async || stage.number(live).await == 2).await;
        assert!(freed.elapsed() < WITHIN, "{:?}", freed.elapsed());
    };
    tokio::select! {
        () = hold => {}
        _ = connection => panic!("the connection ended"),
    }
}

#[tokio::test]
async fn of_the_log_a_beginning_expires_and_never_a_hole() {
    let stage = Stage::open(&[("EVENT_RETENTION", "1d")]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({})).await;
    let party = party["id"].as_str().unwrap();
    stage
        .sql(&format!(
            "INSERT INTO events (party_id, seq, kind, at)
             SELECT '{party}', n, 'party:updated', now() - CASE WHEN n IN (1, 3) THEN interval '25 hours' ELSE interval '1 hour' END
             FROM generate_series(1, 5) AS n;
             INSERT INTO idempotency_keys (caller, key, digest, created_at) VALUES ('a', 'b', '', now() - interval '25 hours');
             INSERT INTO idempotency_keys (caller, key, digest) VALUES ('a', 'c', '');
             INSERT INTO token_families (id, person_id) SELECT gen_random_uuid(), '{id}' FROM generate_series(1, 2);
             INSERT INTO refresh_tokens (hash, family_id, expires_at)
             SELECT sha256((n || id::text)::bytea), id, now() - interval '1 hour' * n FROM token_families, generate_series(1, 2) AS n;
             INSERT INTO refresh_tokens (hash, family_id, expires_at)
             SELECT sha256(id::text::bytea), id, now() + interval '1 hour' FROM token_families LIMIT 1",
            id = host.id
        ))
        .await;
    // The sweep of a pod that starts now runs at once
    let _pod = stage.another_pod_with(&[("EVENT_RETENTION", "1d")]).await;
    let left = "SELECT count(*) FROM events";
    eventually(DEADLINE, "the beginning is gone", async || stage.number(left).await == 2).await;
    assert_eq!(stage.number("SELECT min(seq) FROM events").await, 4);
    for (table, rows) in [("idempotency_keys", 1), ("refresh_tokens", 1), ("token_families", 1)] {
        let query = format!("SELECT count(*) FROM {table}");
        eventually(DEADLINE, table, async || stage.number(&query).await == rows).await;
    }
}
