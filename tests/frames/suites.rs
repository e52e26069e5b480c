//! What the published test suites of Engine.IO and Socket.IO ask for, and what clients look at besides: held against the
//! fixture, on requests and sockets.

mod application;
mod engine_io;
mod limits;
mod peer;
mod socket_io;
