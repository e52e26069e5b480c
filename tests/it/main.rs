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
mod bad_frames;
mod bad_input;
mod chat;
mod cli;
mod clock;
mod cors;
mod database;
mod demo;
mod gallery;
mod ground;
mod hang_ups;
mod jobs;
mod joining;
mod live;
mod metrics;
mod migrations;
mod outages;
mod parties;
mod party_night;
mod pod;
mod private_servers;
mod process;
mod rates;
mod readme;
mod rights;
mod rooms;
mod screens;
mod sockets;
mod stale;
mod storage;
mod storm;
mod tls;
mod uploads;
mod uploads_in_outages;
mod views;
