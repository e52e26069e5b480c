//! Where pods tell each other something: one Redis channel for each topic, and one for each subject.
//!
//! *Invariant:* a pod subscribes to the channel of a topic or a subject only while it has sessions of it, so that what
//! is said there costs the other pods nothing.

use super::{protocol::Subject, topic::Topic};

/// Where pods tell each other something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Channel {
    /// To all who listen to a topic.
    Topic(Topic),
    /// To all sessions of a subject.
    Subject(Subject),
}

impl Channel {
    /// Its name in Redis.
    pub(super) fn name(self) -> String {
        match self {
            Self::Topic(Topic(id)) => format!("live:{id:032x}"),
            Self::Subject(Subject { kind, id }) => format!("subject:{kind:02x}:{id:032x}"),
        }
    }

    /// The channel of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let id = |id| u128::from_str_radix(id, 16).ok();
        if let Some(topic) = name.strip_prefix("live:") {
            return id(topic).map(|id| Self::Topic(Topic(id)));
        }
        let (kind, subject) = name.strip_prefix("subject:")?.split_once(':')?;
        let kind = u8::from_str_radix(kind, 16).ok()?;
        Some(Self::Subject(Subject { kind, id: id(subject)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_known_by_its_name() {
        let topics = [Topic(0), Topic(7), Topic(u128::MAX)].map(Channel::Topic);
        let subjects = [(0, 0), (1, 7), (u8::MAX, u128::MAX)];
        let subjects = subjects.map(|(kind, id)| Channel::Subject(Subject { kind, id }));
        for channel in topics.into_iter().chain(subjects) {
            assert_eq!(Channel::named(&channel.name()), Some(channel));
        }
        for strange in
            ["", "live:", "live:x", "cache:07", "subject:", "subject:7", "subject:100:7", "subject:01:"]
        {
            assert_eq!(Channel::named(strange), None, "{strange}");
        }
    }
}
