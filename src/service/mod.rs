//! Use cases: load, decide, act. Who may do what is decided here and nowhere else.

pub mod accounts;
pub mod announce;
pub mod error;
mod key;
pub mod once;
pub mod passwords;
pub mod rates;
pub mod seal;
pub mod sessions;
pub mod tokens;
