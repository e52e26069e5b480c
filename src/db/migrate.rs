//! Brings the schema to the version that this binary speaks, whoever else tries the same at the same time.
//!
//! *Invariant:* one dedicated connection and a lock that is only ever tried: the blocking one deadlocks with
//! `CREATE INDEX CONCURRENTLY`.

use std::time::Duration;

use party_gallery_actors::database::dial;
use slog::{Logger, info};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::{Client, Config};

use super::{Connection, DatabaseError};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The advisory lock that whoever migrates holds: "party" in ASCII.
pub const LOCK: i64 = 0x70_6172_7479;
/// Between two tries for the lock, which one pod holds for milliseconds.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// Where the schema is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The last migration that was applied; 0 on an empty database.
    pub version: i32,
    /// The least version that a binary must speak to work on it.
    pub min_binary: i32,
}

impl Schema {
    /// What an empty database has.
    const NONE: Self = Self { version: 0, min_binary: 0 };

    /// Whether a binary that speaks `binary` can work on it.
    pub fn fits(self, binary: i32) -> bool {
        self.version >= binary && self.min_binary <= binary
    }
}

/// Why the schema was not brought up.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL is away, or went away half-way: every migration is a transaction, so a repeat is safe.
    #[error("the database cannot be reached")]
    Unreachable(#[from] tokio_postgres::Error),
    /// Somebody else holds the lock, or a migration takes longer than is waited for.
    #[error("the schema was not brought up in time")]
    Slow,
    /// A migration failed, or differs from the one that was applied under its number.
    #[error("a migration failed")]
    Failed(#[source] Box<refinery::Error>),
    /// A newer binary has changed what this one relies on.
    #[error("the schema needs a newer binary: version {} or later", .0.min_binary)]
    TooNew(Schema),
}

/// The version that this binary speaks: its own last migration.
pub fn own_version() -> i32 {
    let migrations = embedded::migrations::runner();
    migrations.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or_default()
}

/// Applies what is missing and gives the schema, which then fits.
///
/// # Errors
///
/// [`MigrateError`]; but for [`MigrateError::TooNew`], trying again may help.
pub async fn bring_up(config: &Config, within: Duration, log: &Logger) -> Result<Schema, MigrateError> {
    let until = Instant::now() + within;
    let (mut client, driver) =
        timeout_at(until, dial(config)).await.map_err(|_elapsed| MigrateError::Slow)??;
    let work = async {
        let schema = apply(&mut client, log).await;
        // The driver ends when its client is gone, and the lock with it
        drop(client);
        schema
    };
    let both = async { tokio::join!(work, driver).0 };
    timeout_at(until, both).await.map_err(|_elapsed| MigrateError::Slow)?
}

/// Where the schema is, on a connection of the pool.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn read(connection: &mut Connection) -> Result<Schema, DatabaseError> {
    const READ: &str = include_str!("queries/schema/read.sql");
    let row = connection.query_opt(READ, &[]).await?;
    Ok(row.map_or(Schema::NONE, |row| Schema {
        version: row.get("version"),
        min_binary: row.get("min_binary"),
    }))
}

async fn apply(client: &mut Client, log: &Logger) -> Result<Schema, MigrateError> {
    let own = own_version();
    loop {
        let schema = look(client).await?;
        if schema.min_binary > own {
            return Err(MigrateError::TooNew(schema));
        }
        if schema.fits(own) {
            return Ok(schema);
        }
        // Whoever has the lock does the same work: look again instead of waiting in a queue
        let locked: bool = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await?.get(0);
        if locked {
            break;
        }
        sleep(TRY_EVERY).await;
    }
    // A newer pod may have come first and gone on further: what it has applied is not missing here
    let runner = embedded::migrations::runner().set_abort_missing(false);
    let report = runner.run_async(client).await.map_err(|error| MigrateError::Failed(Box::new(error)))?;
    for migration in report.applied_migrations() {
        info!(log, "Migration applied"; "version" => migration.version(), "name" => migration.name().to_owned());
    }
    look(client).await
}

/// Reads where the schema is.
async fn look(client: &Client) -> Result<Schema, MigrateError> {
    let exists: bool = client.query_one("SELECT to_regclass('schema_meta') IS NOT NULL", &[]).await?.get(0);
    if !exists {
        return Ok(Schema::NONE);
    }
    let row = client.query_one("SELECT version, min_binary FROM schema_meta", &[]).await?;
    Ok(Schema { version: row.get(0), min_binary: row.get(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_fits_who_knows_it_and_whom_it_still_serves() {
        for (version, min_binary, fits) in
            [(0, 0, false), (1, 1, false), (2, 1, true), (2, 2, true), (3, 2, true), (3, 3, false)]
        {
            assert_eq!(Schema { version, min_binary }.fits(2), fits, "{version} {min_binary}");
        }
    }

    #[test]
    fn every_migration_names_its_kind_and_sets_the_version() {
        for migration in embedded::migrations::runner().get_migrations() {
            let sql = migration.sql().unwrap_or_default();
            let named = ["-- Kind: expand\n", "-- Kind: contract\n"].iter().any(|kind| sql.starts_with(kind));
            assert!(named, "{migration} does not begin with its kind");
            let last = sql.trim_end().lines().last().unwrap_or_default();
            assert!(
                last.contains("schema_meta") && last.contains(&migration.version().to_string()),
                "{last}"
            );
        }
        assert!(own_version() > 0);
    }
}
