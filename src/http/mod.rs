//! The edge: the route table.

pub mod access;
pub mod probes;
