//! The cost of `/health` beside a bare handler.
fn main() {}
