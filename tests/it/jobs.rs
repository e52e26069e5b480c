//! The queue in PostgreSQL, with workers that race, lose their leases and lose PostgreSQL.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, join_all},
    stream,
};
use parking_lot::Mutex;
use party_gallery::db::{
    Connection, DatabaseError,
    jobs::{self, Job, Jobs},
    migrate,
};
use party_gallery_actors::{
    database::{self, Database},
    kernel::Supervisor,
    worker::{Cancel, Config, Counts, Failure, Queue, QueueError, Run, Tally, Wake, Worker},
};
use serde_json::json;
use slog::{Discard, Logger, o};
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    database::{MIGRATED, connected, fresh},
    own::OwnPostgres,
    poll::eventually,
};

const LEASE: Duration = Duration::from_secs(30);
/// A lease that has run out when it is given.
const SPENT: Duration = Duration::ZERO;

/// A pod as far as jobs are concerned.
struct Pod {
    supervisor: Supervisor,
    database: Database,
}

impl Pod {
    async fn at(url: &str) -> Self {
        let log = Logger::root(Discard, o!());
        let supervisor = Supervisor::start(log.clone()).unwrap();
        let config = database::Config::new(url.parse().unwrap(), NonZeroU32::new(8).unwrap());
        let database = Database::start(&supervisor, config, &log).await.unwrap();
        let pod = Self { supervisor, database };
        eventually(DEADLINE, "the database answers", async || pod.database.check().await.is_ok()).await;
        pod
    }

    fn jobs(&self) -> Jobs {
        Jobs::new(self.database.clone(), &["thumbnail", "push"])
    }

    async fn add(&self, kind: &str, number: usize) -> Uuid {
        let payload = json!({ "number": number });
        let add = async |connection: &mut Connection| jobs::add(connection, kind, &payload).await;
        self.database.transaction(add).await.unwrap()
    }

    async fn employ(&self, config: Config, hands: &Arc<Hands>) -> Tally {
        let tally = Tally::default();
        let run: Arc<dyn Run<Job>> = Arc::<Hands>::clone(hands);
        let child = Worker::child("worker", Arc::new(self.jobs()), run, config, &Wake::default(), &tally);
        self.supervisor.add(child).await.unwrap();
        tally
    }
}

/// Count how often each job was done.
#[derive(Default)]
struct Hands(Mutex<BTreeMap<Uuid, usize>>);

impl Run<Job> for Hands {
    fn run<'a>(&'a self, job: &'a Job, _: Cancel) -> BoxFuture<'a, Result<(), Failure>> {
        async {
            sleep(Duration::from_millis(2)).await;
            *self.0.lock().entry(job.id).or_default() += 1;
            Ok(())
        }
        .boxed()
    }
}

fn config(lease: Duration) -> Config {
    let (jobs, poll) = (NonZeroUsize::new(4).unwrap(), Duration::from_millis(50));
    Config { jobs, poll, lease, ..Config::default() }
}

fn assert_lost(outcome: &Result<(), QueueError>) {
    assert!(matches!(outcome, Err(QueueError::Lost)), "{outcome:?}");
}

/// `attempts`, whether it is buried, and the last error of the only job.
async fn only_job(url: &str) -> (i32, bool, Option<String>) {
    let read = "SELECT attempts, buried_at IS NOT NULL, last_error FROM jobs";
    let row = connected(url, async |client| client.query_one(read, &[]).await.unwrap()).await;
    (row.get(0), row.get(1), row.get(2))
}

async fn left(url: &str) -> i64 {
    let count = "SELECT count(*) FROM jobs";
    connected(url, async |client| client.query_one(count, &[]).await.unwrap().get(0)).await
}

#[tokio::test]
async fn a_job_is_handed_out_with_what_was_left_and_to_one_only() {
    let url = fresh(&MIGRATED).await;
    let pod = Pod::at(&url).await;
    let id = pod.add("thumbnail", 7).await;
    pod.add("sweep", 0).await;
    let jobs = pod.jobs();
    let claimed = jobs.claim(10, LEASE).await.unwrap();
    assert_eq!(claimed.len(), 1, "other kinds are left alone");
    assert_eq!(claimed[0].job, Job { id, kind: "thumbnail".to_owned(), payload: json!({ "number": 7 }) });
    assert_eq!((claimed[0].attempt, claimed[0].ticket.to_string()), (1, id.to_string()));
    assert!(claimed[0].waited < DEADLINE);
    assert!(jobs.claim(10, LEASE).await.unwrap().is_empty());
    jobs.complete(&claimed[0].ticket).await.unwrap();
    assert_lost(&jobs.complete(&claimed[0].ticket).await);
    assert_eq!(left(&url).await, 1);
}

#[tokio::test]
async fn what_a_transaction_leaves_goes_with_it_when_it_fails() {
    let url = fresh(&MIGRATED).await;
    let pod = Pod::at(&url).await;
    let failed = pod.database.transaction(async |connection: &mut Connection| {
        jobs::add(connection, "thumbnail", &json!({})).await?;
        Err::<(), _>(DatabaseError::Aborted)
    });
    failed.await.unwrap_err();
    assert_eq!(left(&url).await, 0);
}

#[tokio::test]
async fn a_spent_lease_is_claimed_again_and_its_ticket_is_refused() {
    let url = fresh(&MIGRATED).await;
    let pod = Pod::at(&url).await;
    pod.add("push", 0).await;
    let jobs = pod.jobs();
    let first = jobs.claim(1, SPENT).await.unwrap().remove(0);
    // Nobody has claimed it since: it is still held
    jobs.extend(&first.ticket, SPENT).await.unwrap();
    let second = jobs.claim(1, LEASE).await.unwrap().remove(0);
    assert_eq!((second.job.id, second.attempt), (first.job.id, 2));
    let stale = &first.ticket;
    assert_lost(&jobs.extend(stale, LEASE).await);
    assert_lost(&jobs.complete(stale).await);
    assert_lost(&jobs.retry(stale, SPENT, "late").await);
    assert_lost(&jobs.release(stale, SPENT).await);
    assert_lost(&jobs.bury(stale, "late").await);
    assert_eq!(only_job(&url).await, (2, false, None));
    jobs.complete(&second.ticket).await.unwrap();
    assert_eq!(left(&url).await, 0);
}

#[tokio::test]
async fn a_retry_counts_and_waits_a_release_does_not_count_and_a_burial_is_final() {
    let url = fresh(&MIGRATED).await;
    let pod = Pod::at(&url).await;
    pod.add("push", 0).await;
    let jobs = pod.jobs();
    let claim = async || jobs.claim(1, LEASE).await.unwrap().pop();

    let claimed = claim().await.unwrap();
    jobs.release(&claimed.ticket, SPENT).await.unwrap();
    assert_eq!(only_job(&url).await, (0, false, None));
    assert_lost(&jobs.complete(&claimed.ticket).await);

    let claimed = claim().await.unwrap();
    assert_eq!(claimed.attempt, 1);
    jobs.retry(&claimed.ticket, Duration::from_millis(200), "odd").await.unwrap();
    assert_eq!(only_job(&url).await, (1, false, Some("odd".to_owned())));
    assert!(claim().await.is_none(), "it is not due yet");
    let claimed = eventually(DEADLINE, "it is due", claim).await;
    assert_eq!(claimed.attempt, 2);

    jobs.bury(&claimed.ticket, &"x".repeat(1000)).await.unwrap();
    assert_eq!(only_job(&url).await, (2, true, Some("x".repeat(500))));
    assert!(claim().await.is_none());
    assert_lost(&jobs.extend(&claimed.ticket, LEASE).await);
}

#[tokio::test]
async fn two_workers_race_for_200_jobs_and_each_is_done_once() {
    let url = fresh(&MIGRATED).await;
    let (one, other) = (Pod::at(&url).await, Pod::at(&url).await);
    // As many at once as a pod has connections for
    let added = stream::iter((0..200).map(|number| one.add("thumbnail", number))).buffered(8);
    let hands = Arc::new(Hands::default());
    let (mine, yours) = tokio::join!(one.employ(config(LEASE), &hands), other.employ(config(LEASE), &hands));
    let added: Vec<_> = added.collect().await;
    eventually(DEADLINE, "no job is left", async || left(&url).await == 0).await;
    assert_eq!(*hands.0.lock(), added.into_iter().map(|id| (id, 1)).collect());
    let total = |count: fn(&Counts) -> u64| count(&mine.read()) + count(&yours.read());
    eventually(DEADLINE, "both know", async || total(|counts| counts.completed) == 200).await;
    assert_eq!((total(|counts| counts.claimed), total(|counts| counts.lost)), (200, 0));
    assert!(mine.read().completed > 0 && yours.read().completed > 0);
}

#[tokio::test]
async fn a_killed_postgres_loses_no_job_and_restarts_no_worker() {
    let mut postgres = OwnPostgres::start().await;
    let url = postgres.url().to_owned();
    migrate::bring_up(&url.parse().unwrap(), DEADLINE, &Logger::root(Discard, o!())).await.unwrap();
    let pod = Pod::at(&url).await;
    let added = join_all((0..100).map(|number| pod.add("push", number))).await;
    let hands = Arc::new(Hands::default());
    // What was claimed by a statement whose answer was not seen is due again soon
    let tally = pod.employ(config(Duration::from_secs(2)), &hands).await;
    eventually(DEADLINE, "some are done", async || tally.read().completed > 10).await;
    postgres.kill9();
    eventually(DEADLINE, "it is missed", async || pod.database.check().await.is_err()).await;
    postgres.start_again().await;
    eventually(DEADLINE, "it is back", async || pod.database.check().await.is_ok()).await;
    eventually(DEADLINE, "no job is left", async || left(&url).await == 0).await;
    let done = hands.0.lock().clone();
    assert!(added.iter().all(|id| done.contains_key(id)), "{} of {}", done.len(), added.len());
    assert!(pod.supervisor.tree().iter().all(|child| child.restarts == 0), "an outage is no crash");
    let stopped = pod.supervisor.stop("worker").await.unwrap();
    assert!(stopped.clean);
}
