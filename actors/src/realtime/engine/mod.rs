//! Engine.IO, version 4: sessions that requests carry, a socket, or first the one and then the other.
//!
//! A `Line` is one such session. It belongs to no request and to no actor: requests of any worker find it by its
//! id in `Lines`, the clerk goes on with it, and the sweeper ends it. What its messages mean is told by the same
//! [`Protocol`](super::Protocol) as on any socket, with its frames made by [`message`]; outbox, sweeper and limits are the
//! same.
//!
//! *Invariant:* whoever knows an id has the session: ids are drawn by the caller, unguessable, and are found in no log.

#[cfg(test)]
mod carrying;
mod endpoint;
mod error;
mod line;
mod lines;
mod packet;
mod payload;
mod polling;
mod socket;
#[cfg(test)]
pub(super) mod tests;

pub use self::{endpoint::serve, packet::message};
pub(super) use self::{lines::Lines, packet::PING_FRAME};
