//! What is logged of a party: the vocabulary of the realtime contract.

/// A logged event's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The party's status is another.
    StatusChanged,
    /// The party was edited.
    PartyUpdated,
    /// Somebody joined.
    AttendeeJoined,
    /// Somebody left, was removed, banned or erased.
    AttendeeLeft,
    /// An RSVP, a check-in or a role.
    AttendeeUpdated,
    /// A media's row exists; it cannot be seen yet.
    NewMedia,
    /// A media can be seen.
    MediaReady,
    /// A media's words were edited.
    MediaUpdated,
    /// A media failed, was hidden or deleted.
    MediaRemoved,
    /// Somebody commented.
    CommentAdded,
    /// A comment was taken back.
    CommentRemoved,
    /// Somebody said something.
    NewMessage,
    /// A message was edited.
    MessageUpdated,
    /// A message was taken back.
    MessageRemoved,
    /// A reaction's count is another.
    Reaction,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::StatusChanged,
        Self::PartyUpdated,
        Self::AttendeeJoined,
        Self::AttendeeLeft,
        Self::AttendeeUpdated,
        Self::NewMedia,
        Self::MediaReady,
        Self::MediaUpdated,
        Self::MediaRemoved,
        Self::CommentAdded,
        Self::CommentRemoved,
        Self::NewMessage,
        Self::MessageUpdated,
        Self::MessageRemoved,
        Self::Reaction,
    ];

    /// Its name, on the wire and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::StatusChanged => "party:status_changed",
            Self::PartyUpdated => "party:updated",
            Self::AttendeeJoined => "party:attendee_joined",
            Self::AttendeeLeft => "party:attendee_left",
            Self::AttendeeUpdated => "party:attendee_updated",
            Self::NewMedia => "party:new_media",
            Self::MediaReady => "party:media_ready",
            Self::MediaUpdated => "party:media_updated",
            Self::MediaRemoved => "party:media_removed",
            Self::CommentAdded => "party:comment_added",
            Self::CommentRemoved => "party:comment_removed",
            Self::NewMessage => "chat:new_message",
            Self::MessageUpdated => "chat:message_updated",
            Self::MessageRemoved => "chat:message_removed",
            Self::Reaction => "chat:reaction",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is part of the chat.
    pub fn is_chat(self) -> bool {
        matches!(self, Self::NewMessage | Self::MessageUpdated | Self::MessageRemoved | Self::Reaction)
    }

    /// Whether attendees alone get it.
    pub fn is_for_attendees(self) -> bool {
        self.is_chat() || matches!(self, Self::CommentAdded | Self::CommentRemoved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_name() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::named(kind.name()), Some(kind));
            assert_eq!(kind.name().starts_with("chat:"), kind.is_chat(), "{kind:?}");
        }
        assert_eq!(EventKind::named("party:cake"), None);
    }
}
