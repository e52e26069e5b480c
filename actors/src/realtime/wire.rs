//! What pods tell each other about a topic or a subject.
//!
//! *Invariant:* losing any of it costs latency or a count that is off for a while, never an event.

use std::collections::HashSet;

use bytes::Bytes;

use super::{frame::Frame, protocol::Subject, topic::Audience};

/// What pods tell each other about a topic or a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The log goes at least up to this number.
    Hint(i64),
    /// Something that is not logged, for these sessions.
    Said { pod: u64, audience: Audience, frame: Frame },
    /// Who watches on a pod.
    Watching { pod: u64, viewers: HashSet<Subject> },
    /// A pod is new to the topic and wants to know who watches.
    Who { pod: u64 },
    /// Sessions of the subject may be over.
    Doubt { pod: u64 },
}

const HINT: u8 = 1;
const SAID_TEXT: u8 = 2;
const SAID_BINARY: u8 = 3;
const WATCHING: u8 = 4;
const WHO: u8 = 5;
const DOUBT: u8 = 6;

impl Word {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hint(seq) => [&[HINT], seq.to_be_bytes().as_slice()].concat(),
            Self::Said { pod, audience, frame } => {
                let kind = if frame.is_text() { SAID_TEXT } else { SAID_BINARY };
                [&[kind], pod.to_be_bytes().as_slice(), &[audience.0], frame.bytes()].concat()
            }
            Self::Watching { pod, viewers } => {
                let mut bytes = Vec::with_capacity(9 + 17 * viewers.len());
                bytes.push(WATCHING);
                bytes.extend_from_slice(&pod.to_be_bytes());
                for subject in viewers {
                    bytes.push(subject.kind);
                    bytes.extend_from_slice(&subject.id.to_be_bytes());
                }
                bytes
            }
            Self::Who { pod } => [&[WHO], pod.to_be_bytes().as_slice()].concat(),
            Self::Doubt { pod } => [&[DOUBT], pod.to_be_bytes().as_slice()].concat(),
        }
    }

    /// `None`: not one of ours, or of a version to come.
    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        match *kind {
            HINT => Some(Self::Hint(i64::from_be_bytes(*number))),
            SAID_TEXT | SAID_BINARY => {
                let (audience, said) = rest.split_first()?;
                let frame = if *kind == SAID_TEXT {
                    Frame::text(str::from_utf8(said).ok()?)
                } else {
                    Frame::binary(bytes.slice_ref(said))
                };
                Some(Self::Said { pod: u64::from_be_bytes(*number), audience: Audience(*audience), frame })
            }
            WATCHING => {
                let (viewers, []) = rest.as_chunks::<17>() else { return None };
                let subject = |bytes: &[u8; 17]| {
                    let (kind, id) = bytes.split_first_chunk::<1>()?;
                    Some(Subject { kind: kind[0], id: u128::from_be_bytes(id.try_into().ok()?) })
                };
                let viewers = viewers.iter().filter_map(subject).collect();
                Some(Self::Watching { pod: u64::from_be_bytes(*number), viewers })
            }
            WHO => Some(Self::Who { pod: u64::from_be_bytes(*number) }),
            DOUBT => Some(Self::Doubt { pod: u64::from_be_bytes(*number) }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_is_understood_as_it_was_said() {
        let viewers = (0..3).map(|id| Subject { kind: 1, id: u128::MAX - id }).collect();
        for word in [
            Word::Hint(i64::MAX),
            Word::Said { pod: 1, audience: Audience(5), frame: Frame::text("héllo") },
            Word::Said { pod: u64::MAX, audience: Audience(0), frame: Frame::binary(vec![0xff, 0]) },
            Word::Watching { pod: 2, viewers },
            Word::Watching { pod: 2, viewers: HashSet::new() },
            Word::Who { pod: 3 },
            Word::Doubt { pod: 4 },
        ] {
            assert_eq!(Word::decode(&word.encode().into()), Some(word));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_can_panic_a_pod(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            Word::decode(&bytes.into());
        }
    }
}
