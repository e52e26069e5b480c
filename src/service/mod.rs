//! Use cases: load, decide, act. Who may do what is decided here and nowhere else.

pub mod accounts;
pub mod announce;
pub mod chat;
pub mod codes;
pub mod displays;
pub mod door;
pub mod error;
pub mod favorites;
pub mod gallery;
mod invitations;
pub mod joining;
mod key;
mod lifecycle;
pub mod links;
pub mod once;
pub mod parties;
pub mod passwords;
pub mod rates;
pub mod retention;
pub mod screens;
pub mod seal;
pub mod sessions;
pub mod tasks;
pub mod tokens;
pub mod uploads;
