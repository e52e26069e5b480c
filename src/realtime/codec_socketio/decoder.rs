//! Packets put together: what is binary comes in messages of its own, behind the packet that it belongs to.

use bytes::Bytes;
use party_gallery_actors::realtime::Received;
use serde_json::Value;

use super::packet::{Fault, Packet};

/// How many bytes the attachments of one packet may have, where nobody says otherwise.
const MAX_BYTES: usize = 256 * 1024;

/// A packet with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its text: a packet, as [`Packet::decode`] reads it.
    pub text: Bytes,
    /// What its placeholders stand for.
    pub attachments: Vec<Bytes>,
}

impl Whole {
    /// The packet itself.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    pub fn packet(&self) -> Result<Packet<'_>, Fault> {
        decode(&self.text)
    }
}

/// Puts the packets of one client together.
#[derive(Debug)]
pub struct Decoder {
    coming: Option<Coming>,
    max_bytes: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

#[derive(Debug)]
struct Coming {
    whole: Whole,
    missing: usize,
    bytes: usize,
}

impl Decoder {
    /// One that takes attachments of `max_bytes` for one packet.
    pub fn new(max_bytes: usize) -> Self {
        Self { coming: None, max_bytes }
    }

    /// Takes the next message. Gives the packet that is whole with it.
    ///
    /// # Errors
    ///
    /// [`Fault`]; after `Malformed` nothing may be decoded.
    pub fn take(&mut self, received: Received) -> Result<Option<Whole>, Fault> {
        match received {
            Received::Text(text) if self.coming.is_none() => {
                let packet = decode(&text)?;
                let missing = packet.attachments;
                if missing > 0 && !has_fit_placeholders(&packet) {
                    return Err(Fault::Malformed);
                }
                let whole = Whole { text, attachments: Vec::with_capacity(missing) };
                if missing == 0 {
                    return Ok(Some(whole));
                }
                self.coming = Some(Coming { whole, missing, bytes: 0 });
                Ok(None)
            }
            Received::Binary(bytes) => {
                let Some(coming) = &mut self.coming else { return Err(Fault::Malformed) };
                coming.bytes = coming.bytes.saturating_add(bytes.len());
                if coming.bytes > self.max_bytes {
                    return Err(Fault::Malformed);
                }
                coming.whole.attachments.push(bytes);
                coming.missing = coming.missing.saturating_sub(1);
                Ok(self.coming.take_if(|coming| coming.missing == 0).map(|coming| coming.whole))
            }
            Received::Text(_) => Err(Fault::Malformed),
            Received::Other => Ok(None),
        }
    }
}

fn decode(text: &Bytes) -> Result<Packet<'_>, Fault> {
    std::str::from_utf8(text).map_err(|_details| Fault::Malformed).and_then(Packet::decode)
}

/// Whether every placeholder stands for an attachment, and every attachment has one.
fn has_fit_placeholders(packet: &Packet<'_>) -> bool {
    let data = packet.data.and_then(|data| serde_json::from_str::<Value>(data.get()).ok());
    let mut is_named = vec![false; packet.attachments];
    let is_fit = data.is_some_and(|data| name(&data, &mut is_named));
    is_fit && is_named.iter().all(|is_named| *is_named)
}

/// Marks what `value` has placeholders for. `false`: one stands for nothing. No deeper than a packet may be.
fn name(value: &Value, is_named: &mut [bool]) -> bool {
    match value {
        Value::Array(values) => values.iter().all(|value| name(value, is_named)),
        Value::Object(members) if members.get("_placeholder") == Some(&Value::Bool(true)) => {
            let num = members.get("num").and_then(Value::as_u64).and_then(|num| usize::try_from(num).ok());
            let mark = num.and_then(|num| is_named.get_mut(num));
            mark.map(|mark| *mark = true).is_some()
        }
        Value::Object(members) => members.values().all(|value| name(value, is_named)),
        _ => true,
    }
}
