//! Object storage: where a photo's bytes are, under keys that only we make.
//!
//! Writing takes three steps, so that bytes are never held whole and a key never shows half an object:
//! [`Store::stage`] opens a place that nobody reads, [`Staged::write`] takes chunks as they come, [`Staged::seal`] makes
//! them durable and tells their hash, and [`Sealed::commit`] gives them their key. What is dropped on the way is gone;
//! [`Staged::take`] gives bytes back that are to have no key.
//!
//! *Invariant:* what was committed survives the process and the power. No key is made of a user's text.

mod disk;
mod error;
mod key;
mod object;
mod probe;
mod provisional;
mod staged;
mod store;
#[cfg(test)]
mod tests;

pub use error::{Error, Unspoken};
pub use key::{Key, Name, Role};
pub use object::{CHUNK, Object};
pub use provisional::Provisional;
pub use staged::{Sealed, Staged};
pub use store::{Store, Swept};
