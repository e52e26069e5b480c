//! The Redis actor: owns the command pool and the subscriber connection.
