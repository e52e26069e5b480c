//! The Health actor: probes everything on a beat and publishes the snapshot.
//!
//! A [`Probe`] asks one part how it is; [`Health`] keeps a loop for each and writes what it hears on the [`Board`];
//! everybody else reads the board and comes to a [`Verdict`].
//!
//! *Invariant:* a reader never waits: neither for I/O, nor for the actor, nor for a lock.

mod actor;
mod board;
mod clock;
mod probe;
mod snapshot;
#[cfg(test)]
mod tests;
mod verdict;
mod window;

pub use self::{
    actor::{Health, Rhythm},
    board::Board,
    clock::{Clock, wall_clock},
    probe::{Heard, Probe},
    snapshot::{Check, CheckStatus, Memory, Snapshot},
    verdict::{Facts, Overall, Verdict},
    window::Window,
};
