//! Sockets: bounded outboxes, sessions, and the hub that sweeps them.
//!
//! A [`Registry`] outlives every actor: it knows the sessions, and each session's [`Outbox`] and [`Cut`].
//! [`upgrade`] makes a session out of a request; what its frames mean is told by a [`Protocol`] of the caller's.
//! The [`Hub`] sweeps the registry: heartbeats, deadlines, cuts.
//!
//! *Invariant:* bytes only. Nothing in here knows JSON, tokens or parties, and nothing waits for a client.

mod assembly;
mod close;
mod config;
mod counts;
mod cut;
mod entry;
mod frame;
mod gate;
mod hub;
mod outbox;
mod protocol;
mod registry;
mod session;
mod sessions;
#[cfg(test)]
mod tests;
mod vitals;

pub use self::{
    close::Close,
    config::Config,
    counts::Counts,
    cut::{Cut, on_connect},
    entry::{Entry, SessionId},
    frame::Frame,
    hub::{Hub, LastSweep},
    outbox::{Full, Outbox},
    protocol::{Action, Identity, Notices, Protocol, Received, Subject},
    registry::{Drained, Registry},
    session::{Opening, UpgradeError, upgrade},
    sessions::Refused,
};
