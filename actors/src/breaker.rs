//! The circuit breaker that the Database and the Redis actor share.
