//! One message to a client.

use std::sync::{Arc, OnceLock};

use bytes::{BufMut as _, Bytes, BytesMut};

/// The opcodes of RFC 6455, in a frame that is whole.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8a;

/// One message to a client. Clones share the bytes, and for an event also its other encoding.
#[derive(Clone, Debug)]
pub struct Frame {
    whole: Whole,
    is_text: bool,
    other: Option<Arc<OnceLock<Whole>>>,
}

/// A message behind its WebSocket header, as it is written to sockets: made once, however many there are.
#[derive(Clone, Debug)]
struct Whole {
    bytes: Bytes,
    header: usize,
}

impl Whole {
    fn new(opcode: u8, payload: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(10 + payload.len());
        put_header(&mut bytes, opcode, payload.len());
        let header = bytes.len();
        bytes.put_slice(payload);
        Self { bytes: bytes.freeze(), header }
    }
}

/// The header of an unmasked frame that is whole.
pub(super) fn put_header(bytes: &mut BytesMut, opcode: u8, len: usize) {
    bytes.put_u8(opcode);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ ..126), _) => bytes.put_u8(short),
        (_, Ok(middling)) => {
            bytes.put_u8(126);
            bytes.put_u16(middling);
        }
        _ => {
            bytes.put_u8(127);
            bytes.put_u64(u64::try_from(len).unwrap_or(u64::MAX));
        }
    }
}

impl Frame {
    fn new(is_text: bool, payload: &[u8]) -> Self {
        let whole = Whole::new(if is_text { TEXT } else { BINARY }, payload);
        Self { whole, is_text, other: None }
    }

    /// A text message.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::new(true, text.as_ref().as_bytes())
    }

    /// A text message for many, some of whom may speak another codec.
    pub fn event(text: impl AsRef<str>) -> Self {
        Self { other: Some(Arc::default()), ..Self::text(text) }
    }

    /// A binary message.
    pub fn binary(bytes: impl AsRef<[u8]>) -> Self {
        Self::new(false, bytes.as_ref())
    }

    /// The same in another codec, as `encode` says it: asked once for all clones of an event.
    pub fn recoded(&self, encode: impl FnOnce(&[u8]) -> String) -> Self {
        let encode = || Whole::new(TEXT, encode(self.bytes()).as_bytes());
        let whole = match &self.other {
            Some(other) => other.get_or_init(encode).clone(),
            None => encode(),
        };
        Self { whole, is_text: true, other: None }
    }

    /// What it carries.
    pub fn bytes(&self) -> &[u8] {
        self.whole.bytes.get(self.whole.header..).unwrap_or_default()
    }

    /// What it carries, shared.
    pub(super) fn payload(&self) -> Bytes {
        self.whole.bytes.slice(self.whole.header..)
    }

    /// It as a socket is written it: its header and what it carries.
    pub(super) fn framed(&self) -> &Bytes {
        &self.whole.bytes
    }

    /// Whether it is a text message; its bytes are UTF-8 then.
    pub fn is_text(&self) -> bool {
        self.is_text
    }

    /// What it counts for in an outbox.
    pub(super) fn cost(&self) -> usize {
        self.bytes().len()
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.framed() == other.framed()
    }
}

impl Eq for Frame {}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_frame_has_the_header_that_its_length_needs() {
        for (len, header) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65_535, vec![0x82, 126, 255, 255]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = vec![7; len];
            let frame = Frame::binary(&payload);
            assert_eq!(frame.framed()[..], [header, payload.clone()].concat());
            assert_eq!(
                (frame.bytes(), frame.payload(), frame.cost()),
                (&payload[..], payload.clone().into(), len)
            );
        }
        assert_eq!(Frame::text("é").framed()[..], [0x81, 2, 0xc3, 0xa9]);
        assert_ne!(Frame::text("a"), Frame::binary("a"));
    }

    #[test]
    fn an_event_is_put_into_another_codec_once() {
        let asked = Cell::new(0);
        let shout = |frame: &Frame| {
            frame.recoded(|bytes| {
                asked.set(asked.get() + 1);
                String::from_utf8_lossy(bytes).to_uppercase()
            })
        };
        let event = Frame::event("news");
        let clone = event.clone();
        assert_eq!((shout(&event), shout(&clone)), (Frame::text("NEWS"), Frame::text("NEWS")));
        assert_eq!(asked.get(), 1);
        shout(&Frame::text("mine"));
        shout(&Frame::text("mine"));
        assert_eq!(asked.get(), 3, "what is for one is not kept");
    }
}
