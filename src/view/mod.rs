//! The shapes of the contract: what clients see of what is kept.
//!
//! *Invariant:* a view shows what its caller may see; what others may not see is not in it at all.

pub mod person;
pub mod user;

pub use self::{
    person::UserSummary,
    user::{OwnGuest, OwnUser},
};
