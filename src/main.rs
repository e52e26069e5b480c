//! Starts the command that the arguments name.
fn main() {}
