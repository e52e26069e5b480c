//! Use cases: load, decide, act.
