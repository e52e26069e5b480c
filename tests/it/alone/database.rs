//! The Database actor in front of a PostgreSQL that is killed, frozen and started again.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use party_gallery_actors::{
    database::{Config, Database, DatabaseError, dial},
    kernel::Supervisor,
};
use slog::{Discard, Logger, o};
use tokio::{sync::Barrier, time::timeout};

use crate::support::{DEADLINE, database::connected, own::OwnPostgres, poll::eventually, servers};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(400);

async fn database(supervisor: &Supervisor, url: &str) -> Database {
    database_at(supervisor, url.parse().unwrap(), 4).await
}

async fn database_at(supervisor: &Supervisor, server: tokio_postgres::Config, pool_size: u32) -> Database {
    let config = Config::new(server, NonZeroU32::new(pool_size).unwrap());
    let log = Logger::root(Discard, o!());
    Database::start(supervisor, config, &log).await.unwrap()
}

/// One connection, so that whatever is left on it meets the next borrower.
async fn narrow_database(supervisor: &Supervisor, url: &str) -> Database {
    let database = database_at(supervisor, url.parse().unwrap(), 1).await;
    answers(&database).await;
    database
}

fn supervisor() -> Supervisor {
    Supervisor::start(Logger::root(Discard, o!())).unwrap()
}

async fn one(database: &Database) -> Result<i32, DatabaseError> {
    database.run(async |connection| Ok(connection.query_opt("SELECT 1", &[]).await?.unwrap().get(0))).await
}

/// The number of the server's process behind the pool's connection.
async fn backend(database: &Database) -> i32 {
    let pid: Result<i32, DatabaseError> = database
        .run(async |connection| {
            Ok(connection.query_opt("SELECT pg_backend_pid()", &[]).await?.unwrap().get(0))
        })
        .await;
    pid.unwrap()
}

async fn answers(database: &Database) {
    eventually(DEADLINE, "the database answers", async || one(database).await.is_ok()).await;
}

#[tokio::test]
async fn a_killed_postgres_is_refused_at_once_and_served_again_when_it_is_back() {
    let (supervisor, mut postgres) = (supervisor(), OwnPostgres::start().await);
    let database = database(&supervisor, postgres.url()).await;
    answers(&database).await;

    postgres.kill9();
    let killed = Instant::now();
    let mut outage = database.outage();
    timeout(DEADLINE, outage.wait_for(Option::is_some)).await.unwrap().unwrap();
    assert!(killed.elapsed() < Duration::from_secs(1), "told after {:?}", killed.elapsed());
    let asked = Instant::now();
    let error = one(&database).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable { .. }) && error.is_undone(), "{error:?}");
    assert!(asked.elapsed() < Duration::from_millis(100), "refused after {:?}", asked.elapsed());
    assert!(database.check().await.is_err());

    postgres.start_again().await;
    let back = Instant::now();
    answers(&database).await;
    assert!(back.elapsed() < Duration::from_millis(600) + NOISE, "healed after {:?}", back.elapsed());
    assert!(supervisor.tree().iter().all(|child| child.restarts == 0), "an outage is no crash");
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_frozen_postgres_answers_everything_outstanding_within_its_deadline_and_heals() {
    let (supervisor, mut postgres) = (supervisor(), OwnPostgres::start().await);
    let database = database(&supervisor, postgres.url()).await;
    answers(&database).await;

    postgres.freeze();
    let frozen = Instant::now();
    let (first, second) = tokio::join!(one(&database), one(&database));
    for outcome in [first, second] {
        assert!(matches!(outcome, Err(DatabaseError::Unavailable { .. })), "{outcome:?}");
    }
    let took = frozen.elapsed();
    assert!(took < Duration::from_millis(1_100) + NOISE, "answered after {took:?}");
    assert_eq!(database.outage().borrow().map(|outage| outage.reason), Some("no answer"));

    postgres.thaw();
    answers(&database).await;
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_postgres_that_is_not_there_yet_is_waited_for() {
    let (supervisor, mut postgres) = (supervisor(), OwnPostgres::start().await);
    postgres.kill9();
    let database = database(&supervisor, postgres.url()).await;
    let error = one(&database).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable { .. }), "{error:?}");
    postgres.start_again().await;
    answers(&database).await;
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_panic_of_the_actor_costs_a_restart_and_no_service() {
    let supervisor = supervisor();
    let database = database(&supervisor, servers::postgres().await.url()).await;
    answers(&database).await;
    database.inject_panic().await;
    eventually(DEADLINE, "it is restarted", async || database.report().restarts == 1).await;
    answers(&database).await;
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_statement_past_its_time_is_cancelled_and_leaves_the_connection_usable() {
    let supervisor = supervisor();
    let database = database(&supervisor, servers::postgres().await.url()).await;
    answers(&database).await;
    let began = Instant::now();
    let slow: Result<(), DatabaseError> =
        database.run(async |connection| connection.batch("SELECT pg_sleep(30)").await).await;
    assert!(matches!(slow, Err(DatabaseError::Unavailable { .. })), "{slow:?}");
    assert!(began.elapsed() < Duration::from_secs(2) + NOISE, "cancelled after {:?}", began.elapsed());
    assert_eq!(one(&database).await.unwrap(), 1);
    assert!(database.outage().borrow().is_none(), "a slow statement is no outage");
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_transaction_is_whole_or_not_at_all() {
    let (supervisor, postgres) = (supervisor(), OwnPostgres::start().await);
    let database = database(&supervisor, postgres.url()).await;
    answers(&database).await;
    let made: Result<(), DatabaseError> = database
        .run(async |connection| connection.batch("CREATE TABLE notes (id int PRIMARY KEY)").await)
        .await;
    made.unwrap();

    let written: Result<u64, DatabaseError> = database
        .transaction(async |connection| connection.execute("INSERT INTO notes VALUES (1)", &[]).await)
        .await;
    assert_eq!(written.unwrap(), 1);

    let refused: Result<(), DatabaseError> = database
        .transaction(async |connection| {
            connection.execute("INSERT INTO notes VALUES (2)", &[]).await?;
            connection.execute("INSERT INTO notes VALUES (1)", &[]).await?;
            Ok(())
        })
        .await;
    assert!(matches!(refused, Err(DatabaseError::Statement(_))), "{refused:?}");

    let swallowed: Result<(), DatabaseError> = database
        .transaction(async |connection| {
            connection.execute("INSERT INTO notes VALUES (3)", &[]).await?;
            _ = connection.execute("INSERT INTO notes VALUES (1)", &[]).await;
            Ok(())
        })
        .await;
    assert!(matches!(swallowed, Err(DatabaseError::Aborted)), "{swallowed:?}");

    let count: Result<i64, DatabaseError> = database
        .run(async |connection| {
            Ok(connection.query_opt("SELECT count(*) FROM notes", &[]).await?.unwrap().get(0))
        })
        .await;
    assert_eq!(count.unwrap(), 1);
    supervisor.stop_all().await;
}

#[tokio::test]
async fn of_two_that_wait_for_each_other_one_is_told_that_a_repeat_is_safe() {
    const ADD: &str = "UPDATE notes SET count = count + 1 WHERE id = $1";
    let (supervisor, postgres) = (supervisor(), OwnPostgres::start().await);
    let database = database(&supervisor, postgres.url()).await;
    answers(&database).await;
    let table = "CREATE TABLE notes (id int, count int DEFAULT 0); INSERT INTO notes VALUES (1), (2)";
    let made: Result<(), DatabaseError> =
        database.run(async |connection| connection.batch(table).await).await;
    made.unwrap();

    let both = Barrier::new(2);
    let add = async |first: i32, second: i32| -> Result<(), DatabaseError> {
        let added = database.transaction(async |connection| {
            connection.execute(ADD, &[&first]).await?;
            both.wait().await;
            connection.execute(ADD, &[&second]).await.map(drop)
        });
        added.await
    };
    let (one, other) = tokio::join!(add(1, 2), add(2, 1));
    let told: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert!(matches!(told[..], [DatabaseError::Unavailable { .. }]), "{told:?}");
    supervisor.stop_all().await;
}

/// A deferred trigger sleeps inside the COMMIT, so that the kill falls into it.
const SLEEPS_AT_COMMIT: &str = "CREATE TABLE notes (id int);
    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER lingers AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION linger();";

#[tokio::test]
async fn a_commit_whose_answer_was_not_seen_is_told_as_unknown() {
    let (supervisor, mut postgres) = (supervisor(), OwnPostgres::start().await);
    let database = database(&supervisor, postgres.url()).await;
    answers(&database).await;
    let made: Result<(), DatabaseError> =
        database.run(async |connection| connection.batch(SLEEPS_AT_COMMIT).await).await;
    made.unwrap();

    let write = database.transaction(async |connection| -> Result<u64, DatabaseError> {
        connection.execute("INSERT INTO notes VALUES (1)", &[]).await
    });
    let kill = async {
        let committing = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'";
        eventually(DEADLINE, "the commit is under way", async || {
            let count: Result<i64, DatabaseError> = database
                .run(async |connection| Ok(connection.query_opt(committing, &[]).await?.unwrap().get(0)))
                .await;
            count.unwrap() == 1
        })
        .await;
        postgres.kill9();
    };
    let (written, ()) = tokio::join!(write, kill);
    assert!(matches!(written, Err(DatabaseError::OutcomeUnknown { .. })), "{written:?}");
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_statement_whose_borrower_has_gone_holds_up_nobody() {
    let supervisor = supervisor();
    let database = narrow_database(&supervisor, servers::postgres().await.url()).await;
    let slow = database.run(async |connection| -> Result<(), DatabaseError> {
        connection.batch("SELECT pg_sleep(1.9)").await
    });
    assert!(timeout(Duration::from_millis(100), slow).await.is_err(), "it was to be dropped half-way");
    let asked = Instant::now();
    assert_eq!(one(&database).await.unwrap(), 1);
    assert!(asked.elapsed() < Duration::from_secs(1), "waited for {:?}", asked.elapsed());
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_connection_that_was_closed_behind_the_pools_back_is_not_lent() {
    let supervisor = supervisor();
    let url = servers::postgres().await.url();
    let database = narrow_database(&supervisor, url).await;
    let pid = backend(&database).await;
    connected(url, async |client| {
        client.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
        eventually(DEADLINE, "the server's end is gone", async || {
            let left = client.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1", &[&pid]).await.unwrap();
            left.is_empty()
        })
        .await;
    })
    .await;
    // Their answers come over the runtime that also hears of the end
    database.check().await.unwrap();
    database.check().await.unwrap();
    assert_ne!(backend(&database).await, pid);
    assert!(database.outage().borrow().is_none());
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_transaction_that_lost_its_connection_is_not_committed() {
    let supervisor = supervisor();
    let database = narrow_database(&supervisor, servers::postgres().await.url()).await;
    let swallowed: Result<(), DatabaseError> = database
        .transaction(async |connection| {
            _ = connection.batch("SELECT pg_terminate_backend(pg_backend_pid())").await;
            Ok(())
        })
        .await;
    assert!(matches!(swallowed, Err(DatabaseError::Aborted)), "{swallowed:?}");
    answers(&database).await;
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_statement_whose_plan_a_migration_has_spoilt_heals() {
    let (supervisor, postgres) = (supervisor(), OwnPostgres::start().await);
    let database = narrow_database(&supervisor, postgres.url()).await;
    let all = async || -> Result<usize, DatabaseError> {
        database.run(async |connection| Ok(connection.query("SELECT * FROM notes", &[]).await?.len())).await
    };
    let change = async |sql| -> Result<(), DatabaseError> {
        database.run(async |connection| connection.batch(sql).await).await
    };
    change("CREATE TABLE notes (id int)").await.unwrap();
    assert_eq!(all().await.unwrap(), 0);
    change("ALTER TABLE notes ADD COLUMN text text").await.unwrap();
    _ = all().await;
    assert_eq!(all().await.unwrap(), 0, "at the latest the second time");
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_host_that_says_nothing_hides_no_other() {
    let (supervisor, postgres) = (supervisor(), OwnPostgres::start().await);
    // The kernel takes connects, and nobody ever answers: a machine that was frozen in a failover
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let direct: tokio_postgres::Config = postgres.url().parse().unwrap();
    let mut both = tokio_postgres::Config::new();
    both.user(direct.get_user().unwrap()).dbname(direct.get_dbname().unwrap());
    both.host("127.0.0.1").port(silent.local_addr().unwrap().port());
    both.host_path(postgres.socket().parent().unwrap()).port(5432);
    let dialled = timeout(DEADLINE, dial(&both)).await.expect("the migrations reach nobody");
    drop(dialled.unwrap());
    let database = database_at(&supervisor, both, 4).await;
    answers(&database).await;
    for round in 0..3 {
        let all = tokio::join!(one(&database), one(&database), one(&database), one(&database));
        for answer in [all.0, all.1, all.2, all.3] {
            assert!(answer.is_ok(), "{round}: {answer:?}");
        }
    }
    supervisor.stop_all().await;
}

#[tokio::test]
async fn an_outage_that_begins_in_a_restart_is_told() {
    let (supervisor, mut postgres) = (supervisor(), OwnPostgres::start().await);
    let database = database(&supervisor, postgres.url()).await;
    answers(&database).await;
    database.inject_panic().await;
    postgres.kill9();
    let mut outage = database.outage();
    timeout(Duration::from_secs(1), outage.wait_for(Option::is_some)).await.expect("not told").unwrap();
    postgres.start_again().await;
    answers(&database).await;
    supervisor.stop_all().await;
}

#[tokio::test]
async fn a_freeze_with_nobody_waiting_is_found_by_the_probe() {
    let (supervisor, mut postgres) = (supervisor(), OwnPostgres::start().await);
    let database = database(&supervisor, postgres.url()).await;
    answers(&database).await;
    postgres.freeze();
    let check = timeout(Duration::from_secs(1) + NOISE, database.check()).await.expect("no answer at all");
    assert_eq!(check, Err("no answer"));
    let mut outage = database.outage();
    timeout(Duration::from_secs(1) + NOISE, outage.wait_for(Option::is_some)).await.unwrap().unwrap();
    postgres.thaw();
    answers(&database).await;
    supervisor.stop_all().await;
}
