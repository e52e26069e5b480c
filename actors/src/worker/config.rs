//! How much a worker takes on.

use std::{num::NonZeroUsize, time::Duration};

use crate::kernel::BackoffConfig;

/// How much a worker takes on.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Jobs at once.
    pub jobs: NonZeroUsize,
    /// How often it looks for jobs without being woken.
    pub poll: Duration,
    /// How long a job is held without a sign of life; one is given every third of it.
    pub lease: Duration,
    /// How long one attempt may take.
    pub deadline: Duration,
    /// Attempts until a job is buried.
    pub max_attempts: u32,
    /// The delays between them.
    pub retry: BackoffConfig,
    /// How long running jobs may go on once the worker is asked to stop; what is left then is given back.
    pub finish_within: Duration,
}

impl Default for Config {
    /// 2 jobs at once, a look every second, leases of 30 s, 60 s for an attempt and 5 of them, first again after a
    /// second and then after up to 5 min, 5 s to finish.
    fn default() -> Self {
        Self {
            jobs: NonZeroUsize::MIN.saturating_add(1),
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
            max_attempts: 5,
            retry: BackoffConfig {
                initial: Duration::from_secs(1),
                longest: Duration::from_secs(300),
                factor: 4.0,
                jitter: 0.2,
            },
            finish_within: Duration::from_secs(5),
        }
    }
}
