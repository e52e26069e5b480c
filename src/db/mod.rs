//! The only SQL: one file per aggregate. Statements are in `queries/<aggregate>/<verb>.sql`.
//!
//! *Invariant:* no decision is made in here; who may do what, and what follows, is `service`'s business.

pub mod migrate;
