//! Reads the environment, once, into one value.
