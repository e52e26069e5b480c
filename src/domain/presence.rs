//! What people say of their being there.

use serde::{Deserialize, Serialize};

/// How somebody who is there wants to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There.
    Online,
    /// There, but not looking.
    Away,
    /// There, and not to be disturbed.
    Busy,
}

impl Status {
    /// All of them; what is kept names them by their place in here.
    pub const ALL: [Self; 3] = [Self::Online, Self::Away, Self::Busy];

    /// The contract's word for it; `None`: not there.
    pub fn name(status: Option<Self>) -> &'static str {
        match status {
            Some(Self::Online) => "online",
            Some(Self::Away) => "away",
            Some(Self::Busy) => "busy",
            None => "offline",
        }
    }
}

/// What somebody has said last, on whichever of their devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// How they want to be seen.
    pub status: Status,
    /// When, in milliseconds since 1970; 0 when they have said nothing.
    pub at: i64,
}

impl Said {
    /// Of who has said nothing.
    pub const NOTHING: Self = Self { status: Status::Online, at: 0 };

    /// The later of both.
    #[must_use]
    pub fn or_later(self, other: Self) -> Self {
        if other.at > self.at { other } else { self }
    }
}
