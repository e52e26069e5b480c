//! Pure rules: no I/O, no async, no clock.

pub mod access;
pub mod access_code;
pub mod account;
pub mod attendance;
pub mod caller;
pub mod chat;
pub mod comment;
pub mod display;
pub mod event;
pub mod fields;
pub mod labels;
pub mod limits;
pub mod mark;
pub mod media;
pub mod moment;
pub mod notification;
pub mod party;
pub mod person;
pub mod profile;
pub mod rate;
pub mod report;
pub mod social_link;
pub mod suggestion;
pub mod tag;
pub mod text;
pub mod venue;
