//! The service from outside: real PostgreSQL, real Redis, real sockets.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and clippy takes only what is marked as a test for one"
)]

#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod cors;
mod database;
mod ground;
mod migrations;
mod pod;
mod rates;
mod sockets;
