//! What a client sends, as RFC 6455 frames it, decoded while it comes.
//!
//! What is wrong is told at the first byte that shows it: the header of a frame above the limit is enough, and a text
//! that is not UTF-8 is not read to its end.

use bytes::{Buf, Bytes, BytesMut};

use super::{close::Close, protocol::Received};

/// The most that a control frame may carry.
const MAX_CONTROL: u64 = 125;

/// What a frame has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A message, or what asks nothing.
    Message(Received),
    /// To be answered with the same payload.
    Ping(Bytes),
    /// The client's close: nothing follows.
    Goodbye,
}

/// Decodes the frames of one client, in whatever pieces they come.
#[derive(Debug)]
pub(super) struct Decoder {
    max: u64,
    header: Vec<u8>,
    /// The frame whose payload is coming.
    frame: Option<Frame>,
    /// The message that is coming; control frames may come between its fragments.
    message: Option<Message>,
    control: BytesMut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Data,
    Close,
    Ping,
    Pong,
}

#[derive(Debug)]
struct Frame {
    kind: Kind,
    is_last: bool,
    mask: [u8; 4],
    /// Bytes that are still to come.
    left: u64,
}

#[derive(Debug)]
struct Message {
    is_text: bool,
    bytes: BytesMut,
    /// Up to where a text is known to be UTF-8.
    checked: usize,
}

impl Decoder {
    /// A decoder that refuses messages of more than `max` bytes, fragmented or not.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max: u64::try_from(max).unwrap_or(u64::MAX),
            header: Vec::new(),
            frame: None,
            message: None,
            control: BytesMut::new(),
        }
    }

    /// Takes of `bytes` what the current frame needs. Gives what the frame has brought, or `None` when more has to come.
    ///
    /// # Errors
    ///
    /// The close that has to follow; nothing may be decoded after it.
    pub(super) fn decode(&mut self, bytes: &mut Bytes) -> Result<Option<Incoming>, Close> {
        loop {
            if let Some(mut frame) = self.frame.take() {
                let piece =
                    bytes.split_to(bytes.len().min(usize::try_from(frame.left).unwrap_or(usize::MAX)));
                self.absorb(&mut frame, &piece)?;
                if frame.left == 0 {
                    return self.finish(&frame).map(Some);
                }
                self.frame = Some(frame);
                return Ok(None);
            }
            if !bytes.has_remaining() {
                return Ok(None);
            }
            self.header.push(bytes.get_u8());
            self.frame = self.begin()?;
        }
    }

    /// Judges the header as far as it is there. Gives the frame when it is whole.
    fn begin(&mut self) -> Result<Option<Frame>, Close> {
        let [first, second, rest @ ..] = self.header.as_slice() else { return Ok(None) };
        let (is_last, has_reserved, opcode) = (first & 0x80 != 0, first & 0x70 != 0, first & 0x0f);
        let is_masked = second & 0x80 != 0;
        let (kind, is_in_turn) = match opcode {
            0 => (Kind::Data, self.message.is_some()),
            1 | 2 => (Kind::Data, self.message.is_none()),
            8 => (Kind::Close, is_last),
            9 => (Kind::Ping, is_last),
            10 => (Kind::Pong, is_last),
            _ => return Err(Close::PROTOCOL),
        };
        if has_reserved || !is_masked || !is_in_turn {
            return Err(Close::PROTOCOL);
        }
        let short = [second & 0x7f];
        let (length, mask) = match second & 0x7f {
            126 => rest.split_at_checked(2),
            127 => rest.split_at_checked(8),
            _ => Some((short.as_slice(), rest)),
        }
        .unwrap_or_default();
        let Ok(mask) = <[u8; 4]>::try_from(mask) else { return Ok(None) };
        let length = length.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
        let before = self.message.as_ref().map_or(0, |message| message.bytes.len() as u64);
        if length.saturating_add(if kind == Kind::Data { before } else { 0 }) > self.max {
            return Err(Close::TOO_BIG);
        }
        if kind != Kind::Data && length > MAX_CONTROL {
            return Err(Close::PROTOCOL);
        }
        if kind == Kind::Data {
            let new = || Message { is_text: opcode == 1, bytes: BytesMut::new(), checked: 0 };
            self.message.get_or_insert_with(new);
        }
        self.header.clear();
        Ok(Some(Frame { kind, is_last, mask, left: length }))
    }

    /// Takes a piece of the frame's payload.
    fn absorb(&mut self, frame: &mut Frame, piece: &[u8]) -> Result<(), Close> {
        let buffer = match &mut self.message {
            Some(message) if frame.kind == Kind::Data => &mut message.bytes,
            _ => &mut self.control,
        };
        let start = buffer.len();
        buffer.extend_from_slice(piece);
        unmask(buffer.get_mut(start..).unwrap_or_default(), frame.mask);
        frame.mask.rotate_left(piece.len() % 4);
        frame.left = frame.left.saturating_sub(piece.len() as u64);
        match &mut self.message {
            Some(message) if frame.kind == Kind::Data => message.check(),
            _ => Ok(()),
        }
    }

    /// Gives what a whole frame has brought.
    fn finish(&mut self, frame: &Frame) -> Result<Incoming, Close> {
        let control = std::mem::take(&mut self.control).freeze();
        match frame.kind {
            Kind::Ping => Ok(Incoming::Ping(control)),
            Kind::Pong => Ok(Incoming::Message(Received::Other)),
            Kind::Close => judge_goodbye(&control).map(|()| Incoming::Goodbye),
            Kind::Data => {
                let whole = self.message.take_if(|_| frame.is_last);
                whole.map_or(Ok(Received::Other), Message::finish).map(Incoming::Message)
            }
        }
    }
}

impl Message {
    /// Looks at what has come since: a text has to be UTF-8, but may end within a scalar for now.
    fn check(&mut self) -> Result<(), Close> {
        if !self.is_text {
            return Ok(());
        }
        let unchecked = self.bytes.get(self.checked..).unwrap_or_default();
        match std::str::from_utf8(unchecked) {
            Ok(_) => self.checked = self.bytes.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Close::INVALID),
        }
        Ok(())
    }

    fn finish(self) -> Result<Received, Close> {
        let bytes = self.bytes.freeze();
        match self.is_text {
            false => Ok(Received::Binary(bytes)),
            true if self.checked == bytes.len() => Ok(Received::Text(bytes)),
            true => Err(Close::INVALID),
        }
    }
}

fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = bytes.as_chunks_mut::<4>();
    let word_mask = u32::from_ne_bytes(mask);
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ word_mask).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// A close may be empty; else it has a code that may be sent, and a reason in UTF-8.
fn judge_goodbye(payload: &[u8]) -> Result<(), Close> {
    if payload.is_empty() {
        return Ok(());
    }
    let (code, reason) = payload.split_first_chunk().ok_or(Close::PROTOCOL)?;
    match u16::from_be_bytes(*code) {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {}
        _ => return Err(Close::PROTOCOL),
    }
    std::str::from_utf8(reason).map_or(Err(Close::INVALID), |_| Ok(()))
}

#[cfg(test)]
mod tests;
