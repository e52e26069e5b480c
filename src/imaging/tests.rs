//! Photos made in code, taken apart and put together.
