//! One message to a client.

use bytes::Bytes;

/// One message to a client. Clones share the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    is_text: bool,
}

impl Frame {
    /// A text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self { bytes: Bytes::from(text.into()), is_text: true }
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), is_text: false }
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
