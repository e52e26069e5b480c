//! What clients send, right or wrong: the protocol's cases on a real socket, and a fuzz of a session without one.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and clippy takes only what is marked as a test for one"
)]

mod cases;
mod client;
mod closes;
mod framing;
#[path = "../../examples/conformance/pod/mod.rs"]
mod pod;
mod scalars;
mod session;
mod suites;
