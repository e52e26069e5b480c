//! Pure rules: no I/O, no async, no clock.

pub mod access;
pub mod account;
pub mod caller;
pub mod event;
pub mod fields;
pub mod limits;
pub mod moment;
pub mod person;
pub mod rate;
pub mod text;
