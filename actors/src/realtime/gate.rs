//! What a client sends, watched before it is decoded.
//!
//! The codec waits for all of a frame before it looks at its size; here the header is enough, so that a frame above
//! the limit costs no memory and is answered at once.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{error::PayloadError, web::Payload};
use bytes::Bytes;
use futures_util::Stream;

use super::{close::Close, entry::Entry};

/// A message above the limit.
#[derive(Debug, PartialEq, Eq)]
struct TooBig;

/// Follows the frame headers of a client, whatever pieces they come in.
#[derive(Debug)]
struct Gate {
    max: u64,
    header: Vec<u8>,
    /// Bytes of the current frame's payload that are still to come.
    payload: u64,
    /// Length of the current message, with the fragments before.
    message: u64,
}

impl Gate {
    fn new(max: usize) -> Self {
        Self { max: u64::try_from(max).unwrap_or(u64::MAX), header: Vec::new(), payload: 0, message: 0 }
    }

    fn admit(&mut self, mut bytes: &[u8]) -> Result<(), TooBig> {
        loop {
            let skipped = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
            self.payload = self.payload.saturating_sub(skipped as u64);
            bytes = bytes.get(skipped..).unwrap_or_default();
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            self.header.push(*first);
            bytes = rest;
            if let Some(length) = self.begin() {
                self.header.clear();
                self.payload = length;
                if length.max(self.message) > self.max {
                    return Err(TooBig);
                }
            }
        }
    }

    /// Reads the header when it is whole: counts the frame for its message, and gives its length.
    fn begin(&mut self) -> Option<u64> {
        let [first, second, rest @ ..] = self.header.as_slice() else { return None };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let short = second & 0x7f;
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if rest.len() < extended + mask {
            return None;
        }
        let length = match extended {
            0 => u64::from(short),
            _ => rest.iter().take(extended).fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        // Control frames may come between the fragments of a message and are no part of it
        let is_control = first & 0x08 != 0;
        if !is_control {
            let is_continuation = first & 0x0f == 0;
            self.message = length.saturating_add(if is_continuation { self.message } else { 0 });
        }
        Some(length)
    }
}

/// The bytes of a client on their way to the codec.
pub(super) struct Inbound {
    payload: Payload,
    gate: Gate,
    entry: Arc<Entry>,
}

impl Inbound {
    pub(super) fn new(payload: Payload, max_message: usize, entry: Arc<Entry>) -> Self {
        Self { payload, gate: Gate::new(max_message), entry }
    }
}

impl Stream for Inbound {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let chunk = match Pin::new(&mut self.payload).poll_next(task) {
                Poll::Ready(Some(Ok(chunk))) => chunk,
                other @ (Poll::Ready(_) | Poll::Pending) => return other,
            };
            let now = Instant::now();
            self.entry.note_in(now);
            if self.entry.outbox().closing().is_some() {
                // Read on, so that the peer's own end is seen, but keep nothing
                continue;
            }
            match self.gate.admit(&chunk) {
                Ok(()) => return Poll::Ready(Some(Ok(chunk))),
                Err(TooBig) => self.entry.outbox().close_at_once(Close::TOO_BIG, now),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A masked frame, as a client sends it; the mask is all zeros.
    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.resize(bytes.len() + length, b'x');
        bytes
    }

    #[test]
    fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
        for (frames, admitted) in [
            (vec![frame(0x81, 65_536)], true),
            (vec![frame(0x81, 65_537)], false),
            (vec![frame(0x01, 65_536), frame(0x80, 0)], true),
            (vec![frame(0x01, 65_536), frame(0x80, 1)], false),
            (vec![frame(0x01, 40_000), frame(0x89, 5), frame(0x80, 40_000)], false),
            (vec![frame(0x82, 40_000), frame(0x82, 40_000)], true),
            (vec![frame(0x89, 65_537)], false),
        ] {
            let mut gate = Gate::new(65_536);
            let result = gate.admit(&frames.concat());
            assert_eq!(result.is_ok(), admitted, "{:?}", frames.iter().map(Vec::len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_header_is_enough_to_refuse_a_frame() {
        let mut gate = Gate::new(65_536);
        assert_eq!(gate.admit(&frame(0x82, 1 << 20)[..14]), Err(TooBig));
    }

    proptest! {
        /// In whatever pieces frames come, the verdict is the same; and no bytes can panic it.
        #[test]
        fn pieces_make_no_difference(bytes in prop::collection::vec(any::<u8>(), 0..600), size in 1_usize..40) {
            let whole = Gate::new(300).admit(&bytes);
            let mut gate = Gate::new(300);
            let pieces = bytes.chunks(size).try_for_each(|piece| gate.admit(piece));
            prop_assert_eq!(whole, pieces);
        }
    }
}
