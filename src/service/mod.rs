//! Use cases: load, decide, act. Who may do what is decided here and nowhere else.

pub mod accounts;
pub mod announce;
pub mod chat;
pub mod codes;
pub mod devices;
pub mod door;
pub mod error;
pub mod gallery;
pub mod joining;
mod key;
pub mod links;
pub mod messages;
pub mod notifications;
pub mod once;
pub mod parties;
pub mod passwords;
pub mod rates;
pub mod reactions;
pub mod screens;
pub mod seal;
pub mod sessions;
pub mod tags;
pub mod tasks;
pub mod tokens;
pub mod uploads;
