//! Sockets: bounded outboxes, sessions, and the hub that sweeps them.
