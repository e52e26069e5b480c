//! Supervision: what restarts an actor, when, and what its callers hear meanwhile.
//!
//! A [`Child`] says how to make an actor and how to treat its failures; the [`Supervisor`] keeps it alive on a
//! thread of its own; everybody else holds a [`Handle`] and never an address. An actor learns who it is from its
//! [`Life`].
//!
//! *Invariant:* nothing in here imports anything else of ours, and nothing else in the house spawns a task or
//! starts an actor.

mod backoff;
mod caretaker;
mod child;
mod handle;
mod life;
mod policy;
mod shared;
mod status;
mod supervisor;
mod tended;
#[cfg(test)]
mod tests;
mod tree;

pub use self::{
    backoff::{Backoff, BackoffConfig},
    child::{Child, Exhausted, Limits, Restart},
    handle::{CallError, Handle},
    life::{Busy, Life},
    policy::Intensity,
    status::{State, Status},
    supervisor::{Refused, Supervisor},
    tree::{ChildReport, Stopped, Tree},
};
