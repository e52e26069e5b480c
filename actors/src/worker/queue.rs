//! What a worker asks of the keeper of its jobs.

use std::{error::Error, fmt, time::Duration};

use futures_util::future::BoxFuture;

/// A job that is held by a lease.
#[derive(Clone, Debug)]
pub struct Claimed<J, T> {
    /// What is to be done.
    pub job: J,
    /// The proof that it is held.
    pub ticket: T,
    /// Which attempt this is, from 1. Counted by the claim, so that a job that kills its worker is counted too.
    pub attempt: u32,
    /// How long it had been due.
    pub waited: Duration,
}

/// What a claim of `Q` brings.
pub type Claim<Q> = Vec<Claimed<<Q as Queue>::Job, <Q as Queue>::Ticket>>;

/// An answer of the queue.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, QueueError>>;

/// Why the queue did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The ticket is stale: its lease expired and somebody else may hold the job, or it has ended.
    #[error("the lease was lost")]
    Lost,
    /// The queue is away. What was asked may have been done.
    #[error("the queue is away")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else; asking again is no use.
    #[error("the queue failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// The keeper of jobs. Which kinds of jobs it hands out is its own business.
///
/// All times are the queue's. Every method but [`Queue::claim`] takes a ticket and refuses a stale one with
/// [`QueueError::Lost`].
pub trait Queue: Sized + Send + Sync + 'static {
    /// What is to be done.
    type Job: Send + Sync + 'static;
    /// The proof of a lease: the job's id and a fencing token that every claim makes anew. Shown as the id.
    type Ticket: Clone + fmt::Display + Send + Sync + 'static;

    /// Leases at most `limit` jobs that are due, longest due first, and counts an attempt for each.
    ///
    /// # Errors
    ///
    /// [`QueueError`], but never [`QueueError::Lost`].
    fn claim(&self, limit: usize, lease: Duration) -> Answer<'_, Claim<Self>>;

    /// Holds the job for `lease` from now.
    ///
    /// # Errors
    ///
    /// [`QueueError`].
    fn extend<'a>(&'a self, ticket: &'a Self::Ticket, lease: Duration) -> Answer<'a, ()>;

    /// The job is done.
    ///
    /// # Errors
    ///
    /// [`QueueError`].
    fn complete<'a>(&'a self, ticket: &'a Self::Ticket) -> Answer<'a, ()>;

    /// Gives the job back after a failed attempt; it is due again after `delay`.
    ///
    /// # Errors
    ///
    /// [`QueueError`].
    fn retry<'a>(&'a self, ticket: &'a Self::Ticket, delay: Duration, reason: &'a str) -> Answer<'a, ()>;

    /// Gives the job back as if it had not been claimed: the attempt is not counted. It is due again after `delay`.
    ///
    /// # Errors
    ///
    /// [`QueueError`].
    fn release<'a>(&'a self, ticket: &'a Self::Ticket, delay: Duration) -> Answer<'a, ()>;

    /// Puts the job among the dead letters: it is not tried again.
    ///
    /// # Errors
    ///
    /// [`QueueError`].
    fn bury<'a>(&'a self, ticket: &'a Self::Ticket, reason: &'a str) -> Answer<'a, ()>;
}
