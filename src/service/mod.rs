//! Use cases: load, decide, act. Who may do what is decided here and nowhere else.

pub mod accounts;
pub mod announce;
pub mod chat;
pub mod codes;
pub mod door;
pub mod error;
pub mod gallery;
pub mod joining;
mod key;
pub mod links;
pub mod once;
pub mod pages;
pub mod parties;
pub mod passwords;
pub mod rates;
pub mod screens;
pub mod seal;
pub mod sessions;
pub mod tasks;
pub mod tokens;
pub mod uploads;
pub mod views;
