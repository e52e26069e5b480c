//! The service from outside: real PostgreSQL, real Redis, real sockets.

#[path = "../support/mod.rs"]
mod support;
