//! What a page of events tells of, loaded by one statement per kind.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::{
    db::{Connection, DatabaseError, attendances, comments, events::Event, media, messages},
    domain::{
        attendance::{Attendee, Presence},
        chat::Message,
        comment::Comment,
        event::EventKind,
        media::Media,
        party::Party,
    },
};

/// What a page of events tells of, as far as it is still there.
#[derive(Clone, Debug)]
pub(super) struct Subjects {
    pub(super) party: Party,
    pub(super) media: HashMap<Uuid, Media>,
    pub(super) comments: HashMap<Uuid, Comment>,
    pub(super) messages: HashMap<Uuid, Message>,
    pub(super) attendees: HashMap<Uuid, (Attendee, Presence)>,
}

impl Subjects {
    /// Loads them, but for the party.
    pub(super) async fn load(
        connection: &mut Connection,
        party: Party,
        events: &[Event],
    ) -> Result<Self, DatabaseError> {
        let ids = named(events, |kind| {
            matches!(kind, EventKind::NewMessage | EventKind::MessageUpdated | EventKind::Reaction)
        });
        let messages = if ids.is_empty() { Vec::new() } else { messages::find(connection, &ids).await? };
        let ids = named(events, |kind| kind == EventKind::CommentAdded);
        let comments = if ids.is_empty() { Vec::new() } else { comments::find(connection, &ids).await? };
        let mut ids = named(events, |kind| {
            matches!(kind, EventKind::NewMedia | EventKind::MediaReady | EventKind::MediaUpdated)
        });
        ids.extend(comments.iter().map(|comment| comment.media_id));
        ids.extend(messages.iter().filter_map(|message| message.media_id));
        let media = if ids.is_empty() { Vec::new() } else { media::find(connection, &ids).await? };
        let ids = named(events, is_of_attendee);
        let attendees =
            if ids.is_empty() { Vec::new() } else { attendances::among(connection, party.id, &ids).await? };
        Ok(Self {
            party,
            media: media.into_iter().map(|media| (media.id, media)).collect(),
            comments: comments.into_iter().map(|comment| (comment.id, comment)).collect(),
            messages: messages.into_iter().map(|message| (message.id, message)).collect(),
            attendees: attendees.into_iter().map(|found| (found.0.person.id, found)).collect(),
        })
    }
}

fn is_of_attendee(kind: EventKind) -> bool {
    matches!(kind, EventKind::AttendeeJoined | EventKind::AttendeeLeft | EventKind::AttendeeUpdated)
}

/// What the events of those kinds name, each once.
fn named(events: &[Event], is_meant: impl Fn(EventKind) -> bool) -> Vec<Uuid> {
    let meant = events.iter().filter(|event| event.kind.is_some_and(&is_meant));
    meant.filter_map(|event| event.subject_id).collect::<BTreeSet<_>>().into_iter().collect()
}
