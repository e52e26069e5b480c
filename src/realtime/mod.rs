//! The session's state machine, without a socket.
