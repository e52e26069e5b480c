//! The tests' ground: servers of their own, a pod on port 0, clients and a line that can be cut.
