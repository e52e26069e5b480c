//! Use cases: load, decide, act.

pub mod tokens;
