//! What runs without a request. Everything in here comes to the same when it is done twice.

pub mod develop;
pub mod workshop;

pub use self::workshop::Workshop;
