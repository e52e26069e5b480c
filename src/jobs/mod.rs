//! What runs without a request. Everything in here comes to the same when it is done twice, by whichever pod.

mod backlog;
pub mod clock;
pub mod darkroom;
pub mod develop;
mod failure;
pub mod likes;
pub mod notify;
pub mod pages;
pub mod presence;
pub mod rates;
pub mod sweep;
pub mod views;
pub mod workshop;

pub use self::{backlog::Backlog, workshop::Workshop};
