//! One message to a client.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

/// One message to a client. Clones share the bytes, and for an event also its other encoding.
#[derive(Clone, Debug)]
pub struct Frame {
    bytes: Bytes,
    is_text: bool,
    other: Option<Arc<OnceLock<Bytes>>>,
}

impl Frame {
    /// A text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self { bytes: Bytes::from(text.into()), is_text: true, other: None }
    }

    /// A text message for many, some of whom may speak another codec.
    pub fn event(text: impl Into<String>) -> Self {
        Self { other: Some(Arc::default()), ..Self::text(text) }
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), is_text: false, other: None }
    }

    /// The same in another codec, as `encode` says it: asked once for all clones of an event.
    pub fn recoded(&self, encode: impl FnOnce(&Bytes) -> String) -> Self {
        let encode = || Bytes::from(encode(&self.bytes));
        let bytes = match &self.other {
            Some(other) => other.get_or_init(encode).clone(),
            None => encode(),
        };
        Self { bytes, is_text: true, other: None }
    }

    /// What it carries.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether it is a text message; its bytes are UTF-8 then.
    pub fn is_text(&self) -> bool {
        self.is_text
    }

    /// What it counts for in an outbox.
    pub(super) fn cost(&self) -> usize {
        self.bytes.len()
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        (&self.bytes, self.is_text) == (&other.bytes, other.is_text)
    }
}

impl Eq for Frame {}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

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
