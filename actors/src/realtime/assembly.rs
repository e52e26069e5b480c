//! A message that comes in fragments. Its length was bounded at the gate.

use actix_http::ws::Item;
use bytes::BytesMut;

use super::{close::Close, protocol::Received};

/// The fragments so far.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    bytes: BytesMut,
    is_text: bool,
}

impl Assembly {
    /// Adds a fragment; the last one gives the message.
    pub(super) fn add(&mut self, item: Item) -> Result<Received, Close> {
        let (bytes, is_last) = match item {
            Item::FirstText(bytes) => {
                self.is_text = true;
                (bytes, false)
            }
            Item::FirstBinary(bytes) => {
                self.is_text = false;
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        self.bytes.extend_from_slice(&bytes);
        if !is_last {
            return Ok(Received::Other);
        }
        let message = std::mem::take(&mut self.bytes).freeze();
        match self.is_text {
            false => Ok(Received::Binary(message)),
            true if std::str::from_utf8(&message).is_ok() => Ok(Received::Text(message)),
            true => Err(Close::INVALID),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn fragments_become_one_message() {
        let mut assembly = Assembly::default();
        // A scalar may be split between two fragments
        assert_eq!(assembly.add(Item::FirstText(Bytes::from_static(b"caf\xc3"))), Ok(Received::Other));
        assert_eq!(assembly.add(Item::Continue(Bytes::from_static(b"\xa9"))), Ok(Received::Other));
        let whole = Received::Text(Bytes::from_static("café!".as_bytes()));
        assert_eq!(assembly.add(Item::Last(Bytes::from_static(b"!"))), Ok(whole));
        assert_eq!(assembly.add(Item::FirstBinary(Bytes::from_static(b"\xff"))), Ok(Received::Other));
        let whole = Received::Binary(Bytes::from_static(b"\xff"));
        assert_eq!(assembly.add(Item::Last(Bytes::new())), Ok(whole));
    }

    #[test]
    fn a_text_that_is_not_utf8_is_refused_when_it_is_whole() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.add(Item::FirstText(Bytes::from_static(b"\xc3"))), Ok(Received::Other));
        assert_eq!(assembly.add(Item::Last(Bytes::from_static(b"x"))), Err(Close::INVALID));
    }
}
