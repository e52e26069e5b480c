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
mod attendances;
mod bad_frames;
mod bad_input;
mod big_party;
mod chat;
mod chat_presence;
mod cli;
mod clock;
mod cluster;
mod cohosts;
mod comments;
mod cors;
mod crowds;
mod database;
mod demo;
mod devices;
mod displays;
mod drains;
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
mod live;
mod media_edits;
mod media_rights;
mod messages;
mod metrics;
mod migrations;
mod moderation;
mod notifications;
mod outages;
mod parties;
mod party_night;
mod passwords;
mod pictures;
mod places;
mod pod;
mod presence;
mod private_servers;
mod process;
mod rates;
mod readme;
mod removals;
mod resumes;
mod retention;
mod rights;
mod rooms;
mod screens;
mod secrets;
mod slow_screens;
mod social_links;
mod sockets;
mod stale;
mod storage;
mod storm;
mod storms;
mod tags;
mod tls;
mod uploads;
mod uploads_in_outages;
mod user_lists;
mod user_topics;
mod users;
mod views;
