//! What an actor's callers and watchers may know about it.

use std::time::Instant;

/// Where an actor is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being made for the first time; calls queue.
    Starting,
    /// It serves calls.
    Running,
    /// It failed and is made anew at `until`; what was queued waits for it, new calls are refused until then.
    Restarting {
        /// When it will be tried again.
        until: Instant,
    },
    /// It serves what was queued and ends.
    Stopping,
    /// It ended and stays so.
    Stopped,
    /// It failed too often and the supervisor escalated.
    GaveUp,
}

impl State {
    /// The word for logs, metrics and the health page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting { .. } => "restarting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::GaveUp => "gave up",
        }
    }
}

/// A moment of an actor's life, to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where it is.
    pub state: State,
    /// Which life this is, from 1; what a former life knew is gone.
    pub epoch: u64,
    /// Which thread and mailbox, from 1; calls that an older one held are interrupted.
    pub generation: u64,
    /// It has failed more often than its intensity allows and goes on at the longest delay.
    pub exhausted: bool,
}
