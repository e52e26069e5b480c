//! Work without a request, in PostgreSQL: what a worker claims, and how a transaction leaves some behind.
//!
//! *Invariant:* all times are the database's. A ticket is good as long as nobody has claimed the job since, even
//! when its lease has run out.

use std::{fmt, time::Duration};

use party_gallery_actors::worker::{Answer, Claim, Claimed, Queue, QueueError};
use serde_json::Value;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{Connection, Database, DatabaseError};

/// Leaves a job behind, due at once when the transaction commits. Gives its id.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn add(connection: &mut Connection, kind: &str, payload: &Value) -> Result<Uuid, DatabaseError> {
    const ADD: &str = include_str!("queries/jobs/add.sql");
    let row = connection.query_opt(ADD, &[&kind, payload]).await?;
    Ok(row.map(|row| row.get("id")).unwrap_or_default())
}

/// As [`add`], due only after `delay`.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn add_later(
    connection: &mut Connection,
    kind: &str,
    payload: &Value,
    delay: Duration,
) -> Result<(), DatabaseError> {
    const ADD_LATER: &str = include_str!("queries/jobs/add_later.sql");
    connection.execute(ADD_LATER, &[&kind, payload, &delay.as_secs_f64()]).await.map(drop)
}

/// As [`add`], for many at once.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn add_all(
    connection: &mut Connection,
    kinds: &[String],
    payloads: &[Value],
) -> Result<(), DatabaseError> {
    const ADD_ALL: &str = include_str!("queries/jobs/add_all.sql");
    connection.execute(ADD_ALL, &[&kinds, &payloads]).await.map(drop)
}

/// How many jobs are due and held by nobody, and how many were given up.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn backlog(connection: &mut Connection) -> Result<(u64, u64), DatabaseError> {
    const BACKLOG: &str = include_str!("queries/jobs/backlog.sql");
    let row = connection.query_opt(BACKLOG, &[]).await?;
    let count = |name| row.as_ref().map(|row| row.get::<_, i64>(name).unsigned_abs()).unwrap_or_default();
    Ok((count("due"), count("dead")))
}

/// A job as it was left.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Which.
    pub id: Uuid,
    /// What is to be done.
    pub kind: String,
    /// With what.
    pub payload: Value,
}

/// The proof that a job is held: shown as the job's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    job: Uuid,
    token: Uuid,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.job.fmt(f)
    }
}

/// The jobs of some kinds, for a worker.
#[derive(Clone, Debug)]
pub struct Jobs {
    database: Database,
    kinds: &'static [&'static str],
}

impl Jobs {
    /// Those of these kinds; all others are left alone.
    pub fn new(database: Database, kinds: &'static [&'static str]) -> Self {
        Self { database, kinds }
    }

    /// One statement on a job that is held, which commits by itself: whoever does not see the answer asks again and
    /// finds the ticket stale.
    async fn tell(
        &self,
        statement: &'static str,
        ticket: &Ticket,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<(), QueueError> {
        let parameters: Vec<&(dyn ToSql + Sync)> = [&ticket.job as &(dyn ToSql + Sync), &ticket.token]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let told = self
            .database
            .run(async |connection: &mut Connection| connection.execute(statement, &parameters).await);
        match told.await {
            Ok(0) => Err(QueueError::Lost),
            Ok(_) => Ok(()),
            Err(error) => Err(failure(error)),
        }
    }
}

impl Queue for Jobs {
    type Job = Job;
    type Ticket = Ticket;

    fn claim(&self, limit: usize, lease: Duration) -> Answer<'_, Claim<Self>> {
        const CLAIM: &str = include_str!("queries/jobs/claim.sql");
        Box::pin(async move {
            let (limit, lease) = (i64::try_from(limit).unwrap_or(i64::MAX), lease.as_secs_f64());
            let claim = self.database.run(async |connection: &mut Connection| {
                connection.query(CLAIM, &[&self.kinds, &limit, &lease]).await
            });
            let rows = claim.await.map_err(failure)?;
            let claimed = rows.iter().map(|row| Claimed {
                job: Job { id: row.get("id"), kind: row.get("kind"), payload: row.get("payload") },
                ticket: Ticket { job: row.get("id"), token: row.get("lease_token") },
                attempt: u32::try_from(row.get::<_, i32>("attempts")).unwrap_or_default(),
                waited: Duration::try_from_secs_f64(row.get("waited")).unwrap_or_default(),
            });
            Ok(claimed.collect())
        })
    }

    fn extend<'a>(&'a self, ticket: &'a Ticket, lease: Duration) -> Answer<'a, ()> {
        const EXTEND: &str = include_str!("queries/jobs/extend.sql");
        Box::pin(async move { self.tell(EXTEND, ticket, &[&lease.as_secs_f64()]).await })
    }

    fn complete<'a>(&'a self, ticket: &'a Ticket) -> Answer<'a, ()> {
        const COMPLETE: &str = include_str!("queries/jobs/complete.sql");
        Box::pin(self.tell(COMPLETE, ticket, &[]))
    }

    fn retry<'a>(&'a self, ticket: &'a Ticket, delay: Duration, reason: &'a str) -> Answer<'a, ()> {
        const RETRY: &str = include_str!("queries/jobs/retry.sql");
        Box::pin(async move { self.tell(RETRY, ticket, &[&delay.as_secs_f64(), &reason]).await })
    }

    fn release<'a>(&'a self, ticket: &'a Ticket, delay: Duration) -> Answer<'a, ()> {
        const RELEASE: &str = include_str!("queries/jobs/release.sql");
        Box::pin(async move { self.tell(RELEASE, ticket, &[&delay.as_secs_f64()]).await })
    }

    fn bury<'a>(&'a self, ticket: &'a Ticket, reason: &'a str) -> Answer<'a, ()> {
        const BURY: &str = include_str!("queries/jobs/bury.sql");
        Box::pin(async move { self.tell(BURY, ticket, &[&reason]).await })
    }
}

/// What a failure of the database means to a worker.
fn failure(error: DatabaseError) -> QueueError {
    match error {
        DatabaseError::Unavailable { .. } | DatabaseError::OutcomeUnknown { .. } => {
            QueueError::Unavailable(error.into())
        }
        DatabaseError::Statement(_) | DatabaseError::Aborted => QueueError::Failed(error.into()),
    }
}
