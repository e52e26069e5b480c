//! The session's state machine, without a socket.
//!
//! A [`Conversation`] decides what follows a client's frame; a codec says how frames look on the wire. Sockets,
//! outboxes and deadlines are the business of `party_gallery_actors::realtime`.
//!
//! *Invariant:* no I/O and no clock in here; `now` is an argument.

mod allowance;
mod codec_json;
mod principal;
mod protocol;

pub use party_gallery_actors::realtime::{Audience, Close, Frame, Log, Logged, Removal, Topic, Unreadable};

pub use self::{
    codec_json::{JsonNotices, JsonSession, open},
    principal::{AuthError, Authenticator, Kind, Principal},
    protocol::{Conversation, Data, Malformed, Refusal, Request, Step},
};
