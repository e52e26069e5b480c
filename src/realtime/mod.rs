//! The session's state machine, without a socket.
//!
//! A [`Conversation`] decides what follows a client's frame; a codec says how frames look on the wire. What needs data
//! is asked of [`Rooms`]. Sockets, outboxes, streams and deadlines are the business of `party_gallery_actors::realtime`.
//!
//! *Invariant:* no I/O and no clock in here; `now` is an argument.

mod acting;
mod allowance;
mod codec_json;
mod codec_socketio;
mod presence;
mod principal;
mod protocol;
mod recovery;
mod refusal;
mod rooms;
mod visit;
mod voice;

pub use party_gallery_actors::realtime::{
    Announcer, Audience, Close, Credential, Frame, Grant, Heads, Log, Logged, Registry, Removal, Revocation,
    Subject, Topic, Unreadable, Watcher,
};

pub use self::{
    codec_json::{JsonNotices, JsonSession, emitted, logged, open},
    codec_socketio::{
        Decoder, Fault, Head, Packet, PacketKind, ROOT, SocketIoNotices, SocketIoSession, Whole, encode,
        open as open_socketio,
    },
    presence::{Gathering, Seen},
    principal::{AuthError, Authenticator, Kind, Principal, caller_of, subject},
    protocol::{Conversation, Data, Greeting, Malformed, Request, Step},
    recovery::{Heard, Recalled, Recoveries, Return},
    refusal::Refusal,
    rooms::{
        Admission, ChatAdmission, EVERYTHING, ONLOOKERS, Place, Room, Rooms, Utterance, audience_of, grant,
        party, topic,
    },
    voice::JsonVoice,
};
