//! The only SQL: one file per aggregate. Statements are in `queries/<aggregate>/<verb>.sql`.
//!
//! *Invariant:* no decision is made in here; who may do what, and what follows, is `service`'s business.

pub mod accounts;
pub mod attendances;
pub mod clock;
pub mod comments;
pub mod devices;
pub mod displays;
pub mod entrances;
pub mod events;
pub mod expired;
pub mod favorites;
pub mod follows;
pub mod guests;
pub mod held;
pub mod idempotency;
pub mod jobs;
pub mod marks;
pub mod media;
pub mod messages;
pub mod migrate;
mod moment;
pub mod notifications;
pub mod parties;
pub mod people;
mod person;
pub mod pictures;
pub mod presence;
pub mod reactions;
pub mod recoveries;
pub mod reports;
pub mod retention;
pub mod sessions;
pub mod social_links;
pub mod tags;
pub mod user_media;
pub mod user_parties;
pub mod users;
pub mod views;
mod violation;

pub use party_gallery_actors::database::{Connection, Database, DatabaseError};

pub use self::violation::{lacks_schema, violated};
