//! Photos, as bytes: what they are, what they may not carry, and the smaller ones that screens show. And QR codes.
//!
//! Three steps, in this order:
//!
//! 1. At upload, [`sniff`] looks at the first 64 KiB, and [`Sniffed::admit`] takes the file or names the refusal.
//! 2. In the job, [`strip`] takes everything out that a guest did not mean to show, without touching a pixel. What it
//!    gives, [`Clean`], is what is served.
//! 3. [`develop`] makes preview, thumbnail and thumbhash of the clean photo.
//!
//! *Invariant:* bytes in, bytes out: no I/O, no async, no clock. Whatever the bytes are, the answer is a value: never a
//! panic, never more memory than the limits of [`Extent`] say. Nothing is decoded before it was stripped.

mod develop;
mod error;
mod extent;
mod gif;
mod jpeg;
mod kind;
mod orientation;
mod png;
mod qr;
mod reader;
mod sniff;
mod strip;
#[cfg(test)]
mod tests;
mod webp;

pub use develop::{Derivative, Developed, PREVIEW_SIDE, THUMB_SIDE, develop};
pub use error::Undevelopable;
pub use extent::{Extent, MAX_DECODED, MAX_PIXELS};
pub use kind::{Family, Format, Kind};
pub use qr::Qr;
pub use sniff::{HEAD, Refusal, Sniffed, sniff};
pub use strip::{Clean, strip};
