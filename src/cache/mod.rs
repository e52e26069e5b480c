//! What is kept in Redis, all of it losable.
//!
//! *Invariant:* nothing in here fails: where Redis is away or slow, this pod answers by itself.

mod buckets;
mod ledger;
mod marks;
mod memory;
mod roster;

pub use party_gallery_actors::redis::Redis;

pub use self::{
    buckets::{Bucket, Buckets},
    marks::{Mark, Marks},
    roster::{Heard, Pod, Roster, Telling, Word},
};
