//! What the kernel promises, on real threads.
