//! A dependency that is away, as a worker sees it: no new jobs for a while, longer each time.

use slog::{Logger, info, warn};
use tokio::time::Instant;

use crate::kernel::{Backoff, BackoffConfig};

/// Whether something is away, and until when it is left alone.
#[derive(Debug)]
pub(super) struct Outage {
    of: &'static str,
    backoff: Backoff,
    until: Option<Instant>,
    log: Logger,
}

impl Outage {
    /// Of something that is taken to be there.
    pub(super) fn none(of: &'static str, delays: BackoffConfig, log: &Logger) -> Self {
        Self { of, backoff: Backoff::new(delays), until: None, log: log.clone() }
    }

    /// It was away `now`. Told once; several who notice at the same time are one.
    pub(super) fn noticed(&mut self, now: Instant, reason: &str) {
        if self.until.is_none() {
            warn!(self.log, "Worker waits"; "for" => self.of, "reason" => reason);
        }
        if self.until.is_none_or(|until| until <= now) {
            self.until = Some(now + self.backoff.next_delay());
        }
    }

    /// It was there.
    pub(super) fn ended(&mut self) {
        if self.until.take().is_some() {
            self.backoff.reset();
            info!(self.log, "Worker goes on"; "after" => self.of);
        }
    }

    /// Until when it is left alone.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }
}
