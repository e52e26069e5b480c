//! One connection to PostgreSQL: statements prepared once, each with its own timer, and what a failure means.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::join;
use tokio::time::timeout;
use tokio_postgres::{Client, Row, Statement, error::SqlState, types::ToSql};

use super::{error::DatabaseError, shared::Shared};

/// What the server's own `statement_timeout` is given before the client drops the connection.
const GRACE: Duration = Duration::from_millis(100);

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// None: each statement commits by itself.
    Idle,
    /// Begun.
    Open,
    /// A statement of it failed: it can only be rolled back.
    Failed,
    /// The commit was sent and not answered.
    Committing,
}

/// A connection that was lent.
pub struct Connection {
    client: Arc<Client>,
    shared: Weak<Shared>,
    statement_timeout: Duration,
    prepared: HashMap<&'static str, Statement>,
    phase: Phase,
    /// The transaction begins with the statement that comes next, in one round trip.
    is_opening: bool,
    /// A question was put and its answer not seen. Stays so when whoever asked is dropped meanwhile.
    asking: bool,
    spoilt: bool,
}

impl Connection {
    pub(super) fn new(client: Client, shared: &Arc<Shared>) -> Self {
        Self {
            client: Arc::new(client),
            shared: Arc::downgrade(shared),
            statement_timeout: shared.config.statement + GRACE,
            prepared: HashMap::new(),
            phase: Phase::Idle,
            is_opening: false,
            asking: false,
            spoilt: false,
        }
    }

    /// All rows of a statement. `sql` is prepared once per connection.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`].
    pub async fn query(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DatabaseError> {
        let (client, statement) = (Arc::clone(&self.client), self.prepare(sql).await?);
        let answer = self.ask(client.query(&statement, parameters)).await;
        self.forget_if_stale(sql, answer)
    }

    /// The only row of a statement, if it gives one.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], also when there are several rows.
    pub async fn query_opt(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, DatabaseError> {
        let (client, statement) = (Arc::clone(&self.client), self.prepare(sql).await?);
        let answer = self.ask(client.query_opt(&statement, parameters)).await;
        self.forget_if_stale(sql, answer)
    }

    /// All rows of two statements in one round trip: the second is on its way before the first is answered. Each sees what is
    /// there when it begins.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], that of the first where both fail.
    pub async fn query_both(
        &mut self,
        (first, first_parameters): (&'static str, &[&(dyn ToSql + Sync)]),
        (second, second_parameters): (&'static str, &[&(dyn ToSql + Sync)]),
    ) -> Result<(Vec<Row>, Vec<Row>), DatabaseError> {
        let client = Arc::clone(&self.client);
        let statements = (self.prepare(first).await?, self.prepare(second).await?);
        let both = async {
            // To the end, whatever becomes of one: nobody else's statement is to wait behind it
            let (one, other) = join(
                client.query(&statements.0, first_parameters),
                client.query(&statements.1, second_parameters),
            )
            .await;
            Ok((one?, other?))
        };
        let answer = self.ask(both).await;
        let answer = self.forget_if_stale(first, answer);
        self.forget_if_stale(second, answer)
    }

    /// Runs a statement and gives the number of rows that it touched.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`].
    pub async fn execute(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, DatabaseError> {
        let (client, statement) = (Arc::clone(&self.client), self.prepare(sql).await?);
        let answer = self.ask(client.execute(&statement, parameters)).await;
        self.forget_if_stale(sql, answer)
    }

    /// Runs statements that take no parameters and are not prepared.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`].
    pub async fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let client = Arc::clone(&self.client);
        self.ask(client.batch_execute(sql)).await
    }

    /// Begins a transaction, with the next statement: one that says nothing asks nothing.
    pub(super) fn begin(&mut self) {
        self.phase = Phase::Open;
        self.is_opening = true;
    }

    pub(super) async fn commit(&mut self) -> Result<(), DatabaseError> {
        if std::mem::take(&mut self.is_opening) {
            self.phase = Phase::Idle;
            return Ok(());
        }
        if self.phase != Phase::Open || self.spoilt {
            // PostgreSQL would answer ROLLBACK to a COMMIT here, which is no error for the driver, or nothing at all
            self.roll_back().await;
            return Err(DatabaseError::Aborted);
        }
        self.phase = Phase::Committing;
        self.batch("COMMIT").await?;
        self.phase = Phase::Idle;
        Ok(())
    }

    /// Rolls back; a connection on which that fails is thrown away, which rolls back as well.
    pub(super) async fn roll_back(&mut self) {
        let has_begun = !std::mem::take(&mut self.is_opening);
        if matches!(self.phase, Phase::Open | Phase::Failed) && has_begun && !self.spoilt {
            self.spoilt = self.batch("ROLLBACK").await.is_err();
        }
        self.phase = Phase::Idle;
    }

    /// What to tell the borrower whose work was cut short.
    pub(super) fn interrupted(&self) -> DatabaseError {
        self.lost(None)
    }

    /// Marks the connection as one that must not be lent again.
    pub(super) fn spoil(&mut self) {
        self.spoilt = true;
    }

    pub(super) fn is_spoilt(&self) -> bool {
        self.spoilt
    }

    /// Whether the pool has to throw it away. One whose borrower was dropped half-way is: the next one would wait
    /// behind a statement that nobody wants any more, or find itself in a transaction that it did not begin.
    pub(super) fn is_broken(&self) -> bool {
        self.spoilt || self.asking || self.phase != Phase::Idle || self.client.is_closed()
    }

    async fn prepare(&mut self, sql: &'static str) -> Result<Statement, DatabaseError> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let client = Arc::clone(&self.client);
        let statement = self.ask(client.prepare(sql)).await?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// A migration may have changed what a prepared statement gives: it would fail for as long as it is kept.
    fn forget_if_stale<T>(
        &mut self,
        sql: &'static str,
        answer: Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if let Err(DatabaseError::Statement(error)) = &answer
            && error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
        {
            self.prepared.remove(sql);
        }
        answer
    }

    /// Waits for the driver's answer, no longer than a statement may take, and turns it into ours.
    async fn ask<T>(
        &mut self,
        question: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DatabaseError> {
        self.asking = true;
        let (client, is_opening) = (Arc::clone(&self.client), std::mem::take(&mut self.is_opening));
        let question = async {
            if !is_opening {
                return (Ok(()), question.await);
            }
            // The one is on its way before the other
            join(client.batch_execute("BEGIN"), question).await
        };
        let answer = timeout(self.statement_timeout, question).await;
        self.asking = false;
        let error = match answer {
            Ok((Ok(()), Ok(value))) => {
                self.heard();
                return Ok(value);
            }
            Ok((Err(error), Ok(_))) => {
                // It was done outside of a transaction
                self.spoilt = true;
                return Err(DatabaseError::OutcomeUnknown { source: Some(error) });
            }
            Ok((begun, Err(error))) => begun.err().unwrap_or(error),
            Err(_elapsed) => {
                self.spoilt = true;
                return Err(self.lost(None));
            }
        };
        let Some(state) = error.code() else {
            self.spoilt |= self.client.is_closed() || self.phase == Phase::Committing;
            if self.spoilt {
                return Err(self.lost(Some(error)));
            }
            self.fail();
            return Err(DatabaseError::Statement(error));
        };
        self.heard();
        if is_going_away(state) {
            self.spoilt = true;
            return Err(self.lost(Some(error)));
        }
        self.fail();
        // It took too long, or two waited for each other and this one gave way: a repeat does it
        if [SqlState::QUERY_CANCELED, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE]
            .contains(state)
        {
            let retry_after = Duration::from_secs(1);
            return Err(DatabaseError::Unavailable { retry_after, source: Some(error) });
        }
        Err(DatabaseError::Statement(error))
    }

    fn fail(&mut self) {
        self.phase = match self.phase {
            Phase::Open | Phase::Failed => Phase::Failed,
            // A commit that is refused with an answer is rolled back by PostgreSQL
            Phase::Idle | Phase::Committing => Phase::Idle,
        };
    }

    fn lost(&self, source: Option<tokio_postgres::Error>) -> DatabaseError {
        match self.phase {
            Phase::Committing => DatabaseError::OutcomeUnknown { source },
            Phase::Idle | Phase::Open | Phase::Failed => {
                DatabaseError::Unavailable { retry_after: Duration::from_millis(100), source }
            }
        }
    }

    fn heard(&self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.heard();
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("phase", &self.phase)
            .field("spoilt", &self.spoilt)
            .finish_non_exhaustive()
    }
}

/// Whether PostgreSQL says that this connection ends: shutdowns (57P0x) and connection failures (08).
fn is_going_away(state: &SqlState) -> bool {
    state.code().starts_with("57P") || state.code().starts_with("08")
}
