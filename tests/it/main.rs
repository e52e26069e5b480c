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
mod alone;
mod arrivals;
mod attendances;
mod bad_frames;
mod bad_input;
mod big_party;
mod chat;
mod chat_presence;
mod cli;
mod clock;
mod cohosts;
mod comments;
mod cors;
mod demo;
mod devices;
mod displays;
mod edge;
mod every_operation;
mod favorites;
mod follows;
mod gallery;
mod gallery_plans;
mod gallery_walk;
mod ground;
mod hang_ups;
mod hot_pages;
mod invitations;
mod jobs;
mod joining;
mod lifecycle;
mod likes;
mod media_edits;
mod media_rights;
mod messages;
mod metrics;
mod migrations;
mod moderation;
mod notifications;
mod parties;
mod party_night;
mod pictures;
mod places;
mod presence;
mod private_servers;
mod readme;
mod recovery;
mod removals;
mod retention;
mod rights;
mod rooms;
mod secrets;
mod social_links;
mod sockets;
mod storage;
mod tags;
mod turns;
mod uploads;
mod user_lists;
mod user_topics;
mod users;
mod views;
