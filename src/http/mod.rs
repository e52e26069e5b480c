//! The edge: what is asked over HTTP, and how it is answered.

pub mod access;
pub mod admission;
pub mod auth;
pub mod body;
pub mod caller;
pub mod chat;
pub mod compression;
pub mod config;
pub mod connection;
pub mod cors;
pub mod docs;
pub mod document;
pub mod files;
pub mod follows;
pub mod headers;
pub mod joining;
pub mod media;
pub mod metrics;
pub mod page;
pub mod parties;
pub mod path;
pub mod probes;
pub mod problem;
pub mod rate;
pub mod reply;
pub mod routes;
pub mod social_links;
pub mod trace;
pub mod upload;
pub mod users;
pub mod ws;

pub use self::routes::routes;
