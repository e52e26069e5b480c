//! A database per test, cloned from a template that was migrated once.

use std::{
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
};

use party_gallery::db::migrate;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use super::{DEADLINE, servers};

type Migrated = Pin<Box<dyn Future<Output = ()>>>;

/// What databases are cloned from: made by the first test that wants one.
pub struct Template {
    name: &'static str,
    migrate: fn(url: String) -> Migrated,
    made: OnceCell<()>,
}

impl Template {
    /// A template called `name` (one per test process) that `migrate` fills. It must have closed its connections when it
    /// returns: PostgreSQL clones no database that is in use.
    pub const fn new(name: &'static str, migrate: fn(url: String) -> Migrated) -> Self {
        Self { name, migrate, made: OnceCell::const_new() }
    }
}

/// The URL of a new database like `template`, which nobody else uses. The clones need no turns: PostgreSQL takes a
/// share lock on the template.
pub async fn fresh(template: &Template) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    template
        .made
        .get_or_init(async || {
            execute(&format!("CREATE DATABASE {}", template.name)).await;
            (template.migrate)(url(template.name).await).await;
        })
        .await;
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    execute(&format!("CREATE DATABASE {name} TEMPLATE {}", template.name)).await;
    url(&name).await
}

/// Gives `work` a connection to the database at `url`, and closes it.
pub async fn connected<T>(url: &str, work: impl AsyncFnOnce(&Client) -> T) -> T {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let both = async {
        let done = work(&client).await;
        drop(client);
        done
    };
    // A connection that ends early fails the work's own calls
    tokio::join!(both, async { drop(connection.await) }).0
}

async fn execute(statement: &str) {
    connected(servers::postgres().await.url(), async |client| client.batch_execute(statement).await.unwrap())
        .await;
}

async fn url(database: &str) -> String {
    servers::postgres().await.url().replace("/party_gallery?", &format!("/{database}?"))
}

/// What the service's own migrations make of an empty database.
pub static MIGRATED: Template = Template::new("migrated_template", |url| {
    Box::pin(async move {
        let log = slog::Logger::root(slog::Discard, slog::o!());
        migrate::bring_up(&url.parse().unwrap(), DEADLINE, &log).await.unwrap();
    })
});
