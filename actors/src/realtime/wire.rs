//! What pods tell each other about a topic or a subject.
//!
//! *Invariant:* losing any of it costs latency or a count that is off for a while, never an event.

use bytes::{BufMut, Bytes};

use super::{crowd::People, frame::Frame, protocol::Subject, topic::Audience};

/// What pods tell each other about a topic or a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The log goes at least up to this number.
    Hint(i64),
    /// Something that is not logged, for these sessions.
    Said { pod: u64, audience: Audience, frame: Frame },
    /// Who is in a room on a pod, told because of a change or once more.
    People { pod: u64, room: u8, is_news: bool, people: People },
    /// Nobody is in any room on a pod.
    Nobody { pod: u64 },
    /// A pod is new to the topic and wants to know who is in.
    Who { pod: u64 },
    /// Sessions of the subject may be over.
    Doubt { pod: u64 },
    /// Somebody in a room shows their sign, or no more.
    Sign { pod: u64, room: u8, is_on: bool, subject: Subject, face: Bytes },
}

const HINT: u8 = 1;
const SAID_TEXT: u8 = 2;
const SAID_BINARY: u8 = 3;
const PEOPLE: u8 = 4;
const WHO: u8 = 5;
const DOUBT: u8 = 6;
const NOBODY: u8 = 7;
const SIGN: u8 = 8;

impl Word {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hint(seq) => [&[HINT], seq.to_be_bytes().as_slice()].concat(),
            Self::Said { pod, audience, frame } => {
                let kind = if frame.is_text() { SAID_TEXT } else { SAID_BINARY };
                [&[kind], pod.to_be_bytes().as_slice(), &[audience.0], frame.bytes()].concat()
            }
            Self::People { pod, room, is_news, people } => {
                let mut bytes = Vec::with_capacity(11 + 19 * people.len());
                bytes.put_u8(PEOPLE);
                bytes.put_u64(*pod);
                bytes.extend([*room, u8::from(*is_news)]);
                for (subject, face) in people {
                    // One that is longer than any is as good as none
                    let face = face.as_ref().and_then(|face| Some((u16::try_from(face.len()).ok()?, face)));
                    put_subject(&mut bytes, subject);
                    bytes.put_u16(face.map_or(0, |(len, _)| len));
                    bytes.extend_from_slice(face.map_or(&[], |(_, face)| face));
                }
                bytes
            }
            Self::Nobody { pod } => [&[NOBODY], pod.to_be_bytes().as_slice()].concat(),
            Self::Sign { pod, room, is_on, subject, face } => {
                let mut bytes = Vec::with_capacity(28 + face.len());
                bytes.put_u8(SIGN);
                bytes.put_u64(*pod);
                bytes.extend([*room, u8::from(*is_on)]);
                put_subject(&mut bytes, subject);
                bytes.extend_from_slice(face);
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
                    Frame::event(str::from_utf8(said).ok()?)
                } else {
                    Frame::binary(bytes.slice_ref(said))
                };
                Some(Self::Said { pod: u64::from_be_bytes(*number), audience: Audience(*audience), frame })
            }
            PEOPLE => {
                let ([room, is_news], mut rest) = rest.split_first_chunk::<2>()?;
                let mut people = People::new();
                while !rest.is_empty() {
                    let (subject, after) = take_subject(rest)?;
                    let (len, after) = after.split_first_chunk::<2>()?;
                    let (face, after) = after.split_at_checked(u16::from_be_bytes(*len).into())?;
                    people.insert(subject, (!face.is_empty()).then(|| Bytes::copy_from_slice(face)));
                    rest = after;
                }
                let pod = u64::from_be_bytes(*number);
                Some(Self::People { pod, room: *room, is_news: *is_news != 0, people })
            }
            NOBODY => Some(Self::Nobody { pod: u64::from_be_bytes(*number) }),
            SIGN => {
                let ([room, is_on], rest) = rest.split_first_chunk::<2>()?;
                let (subject, face) = take_subject(rest)?;
                let (pod, face) = (u64::from_be_bytes(*number), Bytes::copy_from_slice(face));
                Some(Self::Sign { pod, room: *room, is_on: *is_on != 0, subject, face })
            }
            WHO => Some(Self::Who { pod: u64::from_be_bytes(*number) }),
            DOUBT => Some(Self::Doubt { pod: u64::from_be_bytes(*number) }),
            _ => None,
        }
    }
}

fn put_subject(bytes: &mut Vec<u8>, Subject { kind, id }: &Subject) {
    bytes.put_u8(*kind);
    bytes.put_u128(*id);
}

fn take_subject(bytes: &[u8]) -> Option<(Subject, &[u8])> {
    let ([kind], rest) = bytes.split_first_chunk::<1>()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    Some((Subject { kind: *kind, id: u128::from_be_bytes(*id) }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_is_understood_as_it_was_said() {
        let subject = Subject { kind: 1, id: u128::MAX };
        let face = |id| (id % 2 == 0).then(|| Bytes::from(vec![7; 300]));
        let people = (0..3).map(|id| (Subject { kind: 1, id: u128::MAX - id }, face(id))).collect();
        for word in [
            Word::Hint(i64::MAX),
            Word::Said { pod: 1, audience: Audience(5), frame: Frame::text("héllo") },
            Word::Said { pod: u64::MAX, audience: Audience(0), frame: Frame::binary(vec![0xff, 0]) },
            Word::People { pod: 2, room: 1, is_news: true, people },
            Word::People { pod: 2, room: 0, is_news: false, people: People::new() },
            Word::Nobody { pod: 2 },
            Word::Who { pod: 3 },
            Word::Doubt { pod: 4 },
            Word::Sign { pod: 2, room: 1, is_on: true, subject, face: Bytes::from_static(b"me") },
        ] {
            assert_eq!(Word::decode(&word.encode().into()), Some(word));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_can_panic_a_pod(bytes in prop::collection::vec(any::<u8>(), 0..60), kind in 0_u8..10) {
            Word::decode(&[&[kind], bytes.as_slice()].concat().into());
        }
    }
}
