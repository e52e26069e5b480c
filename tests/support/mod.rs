//! The tests' ground: servers of their own, a pod on port 0, clients and a line that can be cut.

#![allow(dead_code, reason = "each binary that includes this uses another part of it")]
#![allow(unreachable_pub, reason = "written as the library that it is, though each binary includes it")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and clippy takes only what is marked as a test for one"
)]

pub mod app;
pub mod chaos_proxy;
pub mod client;
#[path = "../../actors/src/redis/tests/cluster.rs"]
pub mod cluster;
pub mod crowd;
pub mod database;
pub mod engine;
pub mod fragile;
pub mod gathering;
pub mod house;
pub mod logs;
pub mod newcomer;
pub mod own;
pub mod pictures;
pub mod pod;
pub mod poll;
pub mod process;
pub mod scene;
pub mod screen;
pub mod secrets;
pub mod servers;
pub mod socketio;
pub mod stage;
pub mod ws;

use std::time::Duration;

/// How long anything may take that should be over at once: only a test that fails takes it.
pub const DEADLINE: Duration = Duration::from_secs(20);
