//! The schema, whoever brings it up.

use futures_util::future::join_all;
use party_gallery::{
    app::Exit,
    db::migrate::{self, MigrateError, own_version},
};
use slog::Logger;

use crate::support::{
    DEADLINE,
    app::TestApp,
    database::{self, Template, connected},
    logs::Logs,
    servers,
};

static EMPTY: Template = Template::new("empty_template", |_url| Box::pin(async {}));

async fn bring_up(url: &str, log: &Logger) -> Result<migrate::Schema, MigrateError> {
    migrate::bring_up(&url.parse().unwrap(), DEADLINE, log).await
}

#[tokio::test]
async fn eight_pods_at_once_on_an_empty_database_apply_each_migration_once() {
    let url = database::fresh(&EMPTY).await;
    let (logs, log) = Logs::record();
    for schema in join_all((0..8).map(|_| bring_up(&url, &log))).await {
        assert_eq!(schema.expect("brought up").version, own_version());
    }
    let applied = logs.lines().iter().filter(|line| line.message == "Migration applied").count();
    assert_eq!(i32::try_from(applied).unwrap(), own_version());
    // And once more changes nothing
    assert!(bring_up(&url, &log).await.unwrap().fits(own_version()));
}

#[tokio::test]
async fn a_schema_of_a_newer_binary_is_used_while_it_allows_and_refused_after() {
    let url = database::fresh(&EMPTY).await;
    let (_logs, log) = Logs::record();
    bring_up(&url, &log).await.unwrap();
    let becomes = async |version: i32, min_binary: i32| {
        let update = format!("UPDATE schema_meta SET version = {version}, min_binary = {min_binary}");
        connected(&url, async |client| client.batch_execute(&update).await.unwrap()).await;
        bring_up(&url, &log).await
    };
    let own = own_version();
    assert!(becomes(own + 1, own).await.unwrap().fits(own));
    assert!(
        matches!(becomes(own + 2, own + 1).await, Err(MigrateError::TooNew(schema)) if schema.version == own + 2)
    );
}

#[tokio::test]
async fn a_pod_whose_schema_a_newer_one_has_taken_away_says_so_once_and_ends() {
    let url = database::fresh(&database::MIGRATED).await;
    let redis = servers::fresh_redis().await;
    let mut app = TestApp::start(&url, &redis, &[("DRAIN_DELAY", "1s")]).await;
    app.logs().wait_for("Ready", DEADLINE).await;
    let contract = "UPDATE schema_meta SET version = version + 1, min_binary = version + 1";
    connected(&url, async |client| client.batch_execute(contract).await.unwrap()).await;
    assert_eq!(app.ended().await, Exit::Unfit);
    let lines = app.logs().lines();
    assert_eq!(lines.iter().filter(|line| line.message == "Schema does not fit").count(), 1);
}

#[tokio::test]
async fn whatever_refers_to_a_row_is_found_without_reading_all_of_its_table() {
    let found = "SELECT c.conrelid::regclass || '.' || a.attname
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f'
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
        ORDER BY 1";
    let rows = connected(&database::fresh(&database::MIGRATED).await, async |client| {
        client.query(found, &[]).await.unwrap()
    })
    .await;
    let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(columns, [""; 0], "PostgreSQL looks there whenever a row that is referred to is deleted");
}

#[tokio::test]
async fn whoever_dies_while_migrating_leaves_the_lock_to_the_next() {
    let url = database::fresh(&EMPTY).await;
    let (_logs, log) = Logs::record();
    connected(&url, async |holder| {
        holder.execute("SELECT pg_advisory_lock($1)", &[&migrate::LOCK]).await.unwrap();
        let slow =
            migrate::bring_up(&url.parse().unwrap(), std::time::Duration::from_millis(300), &log).await;
        assert!(matches!(slow, Err(MigrateError::Slow)), "{slow:?}");
    })
    .await;
    assert!(bring_up(&url, &log).await.unwrap().fits(own_version()));
}
