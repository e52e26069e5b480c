//! What is to become of a job after an attempt: decided purely.

use std::{borrow::Cow, time::Duration};

use super::{Config, Failure};

/// What the queue is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Complete,
    Retry {
        delay: Duration,
        reason: Cow<'static, str>,
    },
    /// As if it had not been claimed; with a reason, something that it depends on is away.
    Release {
        delay: Duration,
        away: Option<Cow<'static, str>>,
    },
    Bury {
        reason: Cow<'static, str>,
    },
}

impl Verdict {
    /// What follows the `attempt`th one.
    pub(super) fn on(outcome: Result<(), Failure>, attempt: u32, config: &Config) -> Self {
        match outcome {
            Ok(()) => Self::Complete,
            Err(Failure::Unavailable(reason)) => {
                Self::Release { delay: config.retry.delay(0), away: Some(reason) }
            }
            Err(Failure::Retry(reason)) if attempt < config.max_attempts => {
                Self::Retry { delay: config.retry.delay(attempt.saturating_sub(1)), reason }
            }
            Err(Failure::Retry(reason) | Failure::Permanent(reason)) => Self::Bury { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::BackoffConfig;

    #[test]
    fn what_follows_an_attempt() {
        let retry = BackoffConfig {
            initial: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            factor: 4.0,
            jitter: 0.0,
        };
        let config = Config { max_attempts: 5, retry, ..Config::default() };
        let again = |seconds| Verdict::Retry { delay: Duration::from_secs(seconds), reason: "odd".into() };
        let buried = || Verdict::Bury { reason: "odd".into() };
        let released = || Verdict::Release { delay: Duration::from_secs(1), away: Some("odd".into()) };
        let failure = |failure: fn(Cow<'static, str>) -> Failure| Err(failure("odd".into()));
        for (outcome, attempt, expected) in [
            (Ok(()), 1, Verdict::Complete),
            (Ok(()), 5, Verdict::Complete),
            (failure(Failure::Retry), 1, again(1)),
            (failure(Failure::Retry), 2, again(4)),
            (failure(Failure::Retry), 3, again(10)),
            (failure(Failure::Retry), 4, again(10)),
            (failure(Failure::Retry), 5, buried()),
            (failure(Failure::Retry), 6, buried()),
            (failure(Failure::Permanent), 1, buried()),
            (failure(Failure::Unavailable), 1, released()),
            (failure(Failure::Unavailable), 5, released()),
        ] {
            assert_eq!(Verdict::on(outcome.clone(), attempt, &config), expected, "{outcome:?} {attempt}");
        }
    }
}
