//! Supervision: what restarts an actor, when, and what its callers hear meanwhile.
