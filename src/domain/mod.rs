//! Pure rules: no I/O, no async, no clock.

pub mod access;
pub mod access_code;
pub mod account;
pub mod attendance;
pub mod caller;
pub mod chat;
pub mod device;
pub mod emoji;
pub mod event;
pub mod fields;
pub mod limits;
pub mod media;
pub mod moment;
pub mod notification;
pub mod party;
pub mod person;
pub mod rate;
pub mod tag;
pub mod text;
pub mod venue;
