//! Why a socket is closed, as its client is told.

/// A close code with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code of RFC 6455, or one of the service's own (4000 and above).
    pub code: u16,
    /// A few words for whoever debugs a client; at most 123 bytes.
    pub reason: &'static str,
}

impl Close {
    /// The client has said goodbye.
    pub const NORMAL: Self = Self::new(1000, "");
    /// The session is over for the service.
    pub const AWAY: Self = Self::new(1001, "no answer");
    /// What was sent is not the WebSocket protocol.
    pub const PROTOCOL: Self = Self::new(1002, "not a WebSocket frame");
    /// A text that is not UTF-8, or the reason of a close that is none.
    pub const INVALID: Self = Self::new(1007, "not UTF-8");
    /// A message above the limit.
    pub const TOO_BIG: Self = Self::new(1009, "too big");
    /// The session failed; the client may come back.
    pub const INTERNAL: Self = Self::new(1011, "internal error");
    /// The pod is going away; the client may come back.
    pub const RESTARTING: Self = Self::new(1012, "restarting");
    /// Not authenticated, in time or any more.
    pub const UNAUTHENTICATED: Self = Self::new(4001, "not authenticated");
    /// Too many refused frames.
    pub const ABUSE: Self = Self::new(4003, "too many refused frames");
    /// The client does not take what it is sent; it may come back and resume.
    pub const TOO_SLOW: Self = Self::new(4008, "too slow");
    /// The subject is not wanted any more.
    pub const REMOVED: Self = Self::new(4010, "removed");
    /// The subject has as many sessions as it may.
    pub const TOO_MANY: Self = Self::new(4009, "too many sessions");

    /// A close with `code` for `reason`.
    pub const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason }
    }
}
