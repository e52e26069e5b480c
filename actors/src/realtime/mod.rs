//! Sockets: bounded outboxes, sessions, and the hub that sweeps them.
//!
//! A [`Registry`] outlives every actor: it knows the sessions, and each session's [`Outbox`] and [`Cut`].
//! [`upgrade`] makes a session out of a request; what its frames mean is told by a [`Protocol`] of the caller's.
//! The [`Hub`] sweeps the registry: heartbeats, deadlines, cuts. The [`Clerk`] does what sessions have to wait for.
//!
//! Topics are streams of logged events. The [`Log`] is read after a cursor, one for each topic on this pod, and its
//! events are given to all sessions that are in; a session that lacks older ones reads for itself first. Hints that
//! there is something to read come from [`Announcer`]s of all pods over Redis, and what hints miss is found by
//! comparison with the log. So order, completeness and once follow from cursors, whatever dies.
//!
//! Subjects are whom sessions belong to. Something that is not logged can be said to all sessions of one; that some of
//! them are over is asked of [`Revocation`]: at a hint, and of all sessions again and again.
//!
//! *Invariant:* bytes only. Nothing in here knows JSON, tokens or parties, and nothing waits for a client.

mod announcer;
mod channel;
mod close;
mod config;
mod counts;
mod crowd;
mod crowds;
mod cut;
mod decoder;
mod desk;
mod dialogue;
mod end;
pub mod engine;
mod entry;
mod frame;
mod hub;
mod inbound;
mod join;
mod kernel;
mod log;
mod mailbag;
mod member;
mod outbox;
mod outgoing;
mod protocol;
mod reader;
mod registry;
mod relay;
mod revocation;
mod session;
mod sessions;
mod show;
mod signs;
mod stream;
mod subjects;
mod tail;
#[cfg(test)]
mod tests;
mod topic;
mod topics;
mod vitals;
mod voice;
mod watcher;
mod wire;
mod work;

pub use self::{
    announcer::Announcer,
    close::Close,
    config::Config,
    counts::Counts,
    cut::{Cut, on_connect},
    desk::Clerk,
    entry::{Entry, SessionId},
    frame::Frame,
    hub::{Feed, Hub, LastSweep},
    join::{Join, Joined, Position, Welcome},
    log::{Grant, Heads, Log, Logged, PAGE, Removal, Unreadable},
    outbox::{Full, Outbox},
    protocol::{Action, Identity, Notices, Protocol, Received, Subject},
    registry::{Drained, Registry},
    revocation::{Credential, QUESTION, Revocation},
    session::{Opening, UpgradeError, upgrade},
    sessions::Refused,
    show::Show,
    topic::{Audience, Topic},
    voice::Voice,
    watcher::Watcher,
};
