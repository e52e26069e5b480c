//! Why a frame has no effect.

use serde::Serialize;

/// Why a frame has no effect, as the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// For programs: one of the codes of the API, or `RESYNC`.
    pub code: &'static str,
    /// For people.
    pub message: &'static str,
}

impl Refusal {
    /// A refusal with `code`.
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    pub(super) const NOT_AUTHENTICATED: Self = Self::new("UNAUTHENTICATED", "authenticate first");
    pub(super) const BAD_TOKEN: Self = Self::new("UNAUTHENTICATED", "the token is not valid");
    pub(super) const EXPIRED: Self = Self::new("TOKEN_EXPIRED", "the token has expired");
    pub(super) const NO_TOKEN: Self = Self::new("VALIDATION_ERROR", "data.token must be a string");
    pub(super) const BAD_RECOVERY: Self = Self::new(
        "VALIDATION_ERROR",
        "recover must be true or false, pid and offset strings as they were sent",
    );
    pub(super) const OTHER_CALLER: Self = Self::new("FORBIDDEN", "the session is somebody else's");
    pub(super) const UNKNOWN: Self = Self::new("NOT_FOUND", "no such event");
    pub(super) const TOO_FAST: Self = Self::new("RATE_LIMITED", "too many frames");
    pub(super) const NO_PARTY: Self = Self::new("VALIDATION_ERROR", "data.partyId must be an id");
    pub(super) const BAD_RESUME: Self =
        Self::new("VALIDATION_ERROR", "data needs partyId, and since and epoch as they were sent");
    pub(super) const BAD_MESSAGE: Self =
        Self::new("VALIDATION_ERROR", "data needs partyId and content; ids are ids, the rest are strings");
    pub(super) const BAD_TYPING: Self =
        Self::new("VALIDATION_ERROR", "data needs partyId, an id, and isTyping, true or false");
    pub(super) const NOT_IN_CHAT: Self = Self::new("FORBIDDEN", "join the chat first");
    pub(super) const BAD_STATUS: Self =
        Self::new("VALIDATION_ERROR", "data.status must be online, away or busy");
    pub(super) const BAD_PEOPLE: Self =
        Self::new("VALIDATION_ERROR", "data must be a list of at most 100 ids");
    pub(super) const NO_PERSON: Self = Self::new("FORBIDDEN", "only people are there or not");
    pub(super) const BAD_IDS: Self = Self::new("VALIDATION_ERROR", "data must be a list of at most 100 ids");
    pub(super) const RESYNC: Self =
        Self::new("RESYNC", "the events that are asked for are not there: read REST");
    pub(super) const TOO_MANY_ROOMS: Self =
        Self::new("QUOTA_EXCEEDED", "the session is in as many rooms as it may be");
    pub(super) const LEFT: Self = Self::new("CONFLICT", "left, or joined again, before everything was sent");
    pub(super) const REMOVED: Self = Self::new("NOT_FOUND", "removed before everything was sent");
    pub(super) const NOT_NOW: Self = Self::new("UNAVAILABLE", "not done, try again");
    pub(super) const WHO_KNOWS: Self = Self::new("OUTCOME_UNKNOWN", "it may have been done");
}
