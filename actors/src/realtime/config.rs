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
    /// The longest body that carries packets of Engine.IO, either way, in bytes.
    pub payload_bytes: usize,
    /// Packets of a client in one such body.
    pub payload_packets: usize,
    /// How long such a body may take to come.
    pub post_within: Duration,
    /// How long a request waits for something to be said.
    pub poll_within: Duration,
    /// How long a socket may take to become a session's that requests have carried.
    pub upgrade_within: Duration,
    /// Sessions that one pod takes.
    pub sessions: usize,
    /// Sessions that one subject may have.
    pub sessions_per_subject: usize,
    /// Rooms that one session may be in.
    pub rooms_per_session: usize,
    /// Messages of one session that may wait for the answer to the one before.
    pub waiting_messages: usize,
    /// And bytes of them.
    pub waiting_bytes: usize,
    /// How long an answer that takes work may take.
    pub answer_deadline: Duration,
    /// Reads of the log at once, for sessions that catch up; and as many for the tails of topics.
    pub reads: usize,
    /// How long a read of the log may take.
    pub read_within: Duration,
    /// How often the log is asked whether hints were lost; with a read, at most the contract's 1 s.
    pub reconcile_every: Duration,
    /// How often it is asked of all sessions whether they are over; with the question, at most 2 s.
    pub judge_every: Duration,
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
            payload_bytes: 1_000_000,
            payload_packets: 256,
            post_within: Duration::from_secs(20),
            poll_within: Duration::from_secs(30),
            upgrade_within: Duration::from_secs(10),
            sessions: 10_000,
            sessions_per_subject: 10,
            rooms_per_session: 100,
            waiting_messages: 64,
            waiting_bytes: 256 * 1024,
            answer_deadline: Duration::from_secs(10),
            reads: 8,
            read_within: Duration::from_secs(3),
            reconcile_every: Duration::from_millis(800),
            judge_every: Duration::from_secs(1),
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
