//! The only SQL: one file per aggregate. Statements are in `queries/<aggregate>/<verb>.sql`.
//!
//! *Invariant:* no decision is made in here; who may do what, and what follows, is `service`'s business.

pub mod accounts;
pub mod attendances;
pub mod clock;
pub mod events;
pub mod expired;
pub mod guests;
pub mod idempotency;
pub mod jobs;
pub mod media;
pub mod messages;
pub mod migrate;
mod moment;
pub mod parties;
pub mod people;
mod person;
pub mod sessions;
pub mod views;
mod violation;

pub use party_gallery_actors::database::{Connection, Database, DatabaseError};

pub use self::violation::{lacks_schema, violated};
