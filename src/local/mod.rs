//! The embedded default: private PostgreSQL and Redis.
