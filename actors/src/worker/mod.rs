//! Work that has to be done once and can wait: claim → run → complete, retry or bury.
//!
//! A [`Queue`] keeps the jobs, a [`Run`] does them, a [`Worker`] takes some at a time from the one to the other. A
//! claimed job is held by a lease, which the worker extends while it runs; the ticket of a lease that was lost is
//! refused, so that a job is ended once, whoever dies meanwhile. CPU-bound work is handed to a [`Crew`].
//!
//! *Invariant:* what a worker knows is in the queue too: it may die at any time. A job may begin more than once, and
//! ends once.

mod actor;
mod config;
mod counts;
mod crew;
mod desk;
mod held;
mod outage;
mod queue;
mod run;
mod shift;
#[cfg(test)]
mod tests;
mod verdict;

pub use self::{
    actor::{Wake, Worker},
    config::Config,
    counts::{Counts, Tally},
    crew::{Crew, CrewError},
    queue::{Answer, Claim, Claimed, Queue, QueueError},
    run::{Cancel, Failure, Run},
};
