//! The limits and times of sockets.

use std::time::Duration;

/// The limits and times of sockets; the default is the contract's.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Bytes that may wait in one outbox.
    pub outbox_bytes: usize,
    /// Frames that may wait in one outbox.
    pub outbox_frames: usize,
    /// The longest message of a client, in bytes, fragmented or not.
    pub message_bytes: usize,
    /// Sessions that one pod takes.
    pub sessions: usize,
    /// Sessions that one subject may have.
    pub sessions_per_subject: usize,
    /// Sessions of one address that nobody has authenticated yet.
    pub unauthenticated_per_address: usize,
    /// How long a session may stay unauthenticated.
    pub authenticate_within: Duration,
    /// How long before its identity expires a session is warned.
    pub warn_before: Duration,
    /// How often a session is pinged.
    pub ping_every: Duration,
    /// How long a session may leave a ping unanswered.
    pub answer_within: Duration,
    /// How long a close may take until the socket is cut; with a sweep, at most the contract's 2 s.
    pub close_within: Duration,
    /// How often all sessions are looked at.
    pub sweep_every: Duration,
    /// Over how long the clients of a draining pod are told to spread their return.
    pub return_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            outbox_bytes: 1024 * 1024,
            outbox_frames: 1024,
            message_bytes: 64 * 1024,
            sessions: 10_000,
            sessions_per_subject: 10,
            unauthenticated_per_address: 50,
            authenticate_within: Duration::from_secs(5),
            warn_before: Duration::from_secs(60),
            ping_every: Duration::from_secs(25),
            answer_within: Duration::from_secs(20),
            close_within: Duration::from_millis(1700),
            sweep_every: Duration::from_millis(250),
            return_within: Duration::from_secs(5),
        }
    }
}
