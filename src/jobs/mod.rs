//! What is done without a request. Everything here can be done again, by any pod.

pub mod clock;
mod failure;
pub mod sweep;
