//! The shapes of the contract: what clients see of what is kept.
//!
//! *Invariant:* a view shows what its caller may see; what others may not see is not in it at all.

pub mod addresses;
pub mod attendee;
pub mod comment;
pub mod device;
pub mod display;
pub mod media;
pub mod message;
pub mod notification;
pub mod one;
pub mod party;
pub mod person;
pub mod sheet;
pub mod tag;
pub mod user;

pub use self::{
    addresses::Addresses,
    attendee::AttendeeView,
    device::DeviceView,
    notification::NotificationView,
    one::One,
    party::{Invitation, PartyView, Preview},
    person::UserSummary,
    sheet::Sheet,
    tag::TagView,
    user::{OwnGuest, UserView},
};
