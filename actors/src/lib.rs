//! How things stay alive and how bytes travel between pods.
//!
//! *Invariant:* no party, no photo, no HTTP route, and no SQL but `SELECT 1` and a transaction's own words.

pub mod breaker;
pub mod database;
pub mod health;
pub mod kernel;
pub mod realtime;
pub mod redis;
pub mod ticker;
pub mod worker;
