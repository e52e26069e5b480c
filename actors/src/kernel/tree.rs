//! The supervision tree as operators see it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::status::Status;

/// One actor, seen from outside.
#[derive(Clone, Debug)]
pub struct ChildReport {
    /// Its name.
    pub name: &'static str,
    /// Where it is in its life.
    pub status: Status,
    /// How often it was made anew.
    pub restarts: u64,
    /// Why it was last made anew, and when.
    pub last_failure: Option<(Arc<str>, Instant)>,
    /// Calls sent and not answered yet, queued ones included.
    pub calls: usize,
    /// How many such calls it takes.
    pub calls_limit: usize,
}

/// The children in the order of their start.
pub type Tree = Vec<ChildReport>;

/// How the stop of one child went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Whose.
    pub name: &'static str,
    /// It served its queue and ended by itself; otherwise it was abandoned at its deadline.
    pub clean: bool,
    /// How long it took.
    pub took: Duration,
}
