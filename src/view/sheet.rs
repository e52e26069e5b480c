//! A page of media that is written once for everybody: what each viewer is told beside it is put in later.
//!
//! *Invariant:* with its viewers put in, it is to the byte what it would be if it had been written for that caller.

use std::sync::OnceLock;

use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::media::MediaViewer;

/// A page of media as it is sent to nobody in particular.
#[derive(Debug)]
pub struct Sheet {
    body: Bytes,
    /// Where each item ends: of its last brace.
    ends: Vec<usize>,
    etag: String,
    packed: OnceLock<Option<Bytes>>,
}

impl Sheet {
    /// Writes views that say nothing of their viewer, and what the list tells of itself.
    ///
    /// # Errors
    ///
    /// One cannot be written as JSON.
    pub fn write<T: Serialize>(
        items: impl IntoIterator<Item = T>,
        meta: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        let mut body = br#"{"success":true,"data":["#.to_vec();
        let mut ends = Vec::new();
        for item in items {
            if !ends.is_empty() {
                body.push(b',');
            }
            serde_json::to_writer(&mut body, &item)?;
            ends.push(body.len().saturating_sub(1));
        }
        body.extend_from_slice(br#"],"meta":"#);
        serde_json::to_writer(&mut body, meta)?;
        body.push(b'}');
        let etag = format!("\"{}\"", digest(&[&body]));
        Ok(Self { body: body.into(), ends, etag, packed: OnceLock::new() })
    }

    /// What nobody in particular is sent.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Another when what is sent is another, to nobody or to a caller who is told this beside the items.
    pub fn etag(&self, viewers: Option<&[MediaViewer]>) -> String {
        let Some(viewers) = viewers else { return self.etag.clone() };
        let told: Vec<u8> = viewers.iter().map(|viewer| bits(*viewer)).collect();
        format!("\"{}\"", digest(&[self.etag.as_bytes(), &told]))
    }

    /// What a caller is sent who is told this beside the items, one for each.
    pub fn with(&self, viewers: &[MediaViewer]) -> Bytes {
        /// The longest of them.
        const ROOM: usize = r#","viewer":{"isLiked":false,"isFavorite":false,"canDelete":false}"#.len();
        let mut body = Vec::with_capacity(self.body.len() + viewers.len() * ROOM);
        let mut rest = &self.body[..];
        let mut written = 0;
        for (end, viewer) in self.ends.iter().zip(viewers) {
            let (before, after) = rest.split_at_checked(end.saturating_sub(written)).unwrap_or((rest, &[]));
            body.extend_from_slice(before);
            put(&mut body, *viewer);
            (rest, written) = (after, *end);
        }
        body.extend_from_slice(rest);
        body.into()
    }

    /// The body as `pack` makes it smaller, if it can; once.
    pub fn packed(&self, pack: impl FnOnce(&Bytes) -> Option<Bytes>) -> Option<Bytes> {
        self.packed.get_or_init(|| pack(&self.body)).clone()
    }

    /// What it takes, in bytes; packed it takes a good deal less than as it is.
    pub fn bytes(&self) -> usize {
        self.body.len() + self.body.len() / 4 + self.ends.len() * size_of::<usize>()
    }
}

/// Half of a SHA-256, in hex: what entity tags are made of.
pub fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let mut text = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(half.into(), 16));
        }
    }
    text
}

fn bits(viewer: MediaViewer) -> u8 {
    let MediaViewer { is_liked, is_favorite, can_delete } = viewer;
    u8::from(is_liked) | u8::from(is_favorite) << 1 | u8::from(can_delete) << 2
}

/// As the last field of an item that has others.
fn put(body: &mut Vec<u8>, viewer: MediaViewer) {
    let MediaViewer { is_liked, is_favorite, can_delete } = viewer;
    for (name, value) in [
        (&br#","viewer":{"isLiked":"#[..], is_liked),
        (br#","isFavorite":"#, is_favorite),
        (br#","canDelete":"#, can_delete),
    ] {
        body.extend_from_slice(name);
        body.extend_from_slice(if value { b"true" } else { b"false" });
    }
    body.push(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Item {
        text: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        viewer: Option<MediaViewer>,
    }

    fn viewers() -> Vec<MediaViewer> {
        (0..8_u8)
            .map(|n| MediaViewer { is_liked: n & 1 > 0, is_favorite: n & 2 > 0, can_delete: n & 4 > 0 })
            .collect()
    }

    fn sheet(texts: &[&'static str]) -> Sheet {
        Sheet::write(texts.iter().map(|text| Item { text, viewer: None }), &json!({ "limit": 1 })).unwrap()
    }

    #[test]
    fn with_its_viewers_it_is_what_it_would_be_if_it_were_written_for_them() {
        const TEXTS: [&str; 8] = ["", "}", "{\"", "ä", "\\", "],\"meta\":", "x", "y"];
        for wanted in 0..=TEXTS.len() {
            let (texts, viewers) = (&TEXTS[..wanted], &viewers()[..wanted]);
            let sheet = sheet(texts);
            let written = |viewer: fn(MediaViewer) -> Option<MediaViewer>| {
                let items = texts.iter().zip(viewers);
                let items: Vec<_> = items.map(|(text, of)| Item { text, viewer: viewer(*of) }).collect();
                let items = serde_json::to_string(&items).unwrap();
                format!(r#"{{"success":true,"data":{items},"meta":{{"limit":1}}}}"#)
            };
            assert_eq!(sheet.body(), written(|_| None).as_bytes());
            assert_eq!(sheet.with(viewers), written(Some).as_bytes());
        }
    }

    #[test]
    fn its_tag_tells_pages_and_what_viewers_are_told_apart() {
        let (page, other) = (sheet(&["a", "b"]), sheet(&["a", "c"]));
        let mut tags: Vec<_> = [&page, &other].map(|sheet| sheet.etag(None)).into();
        for one in viewers() {
            for another in viewers() {
                tags.push(page.etag(Some(&[one, another])));
                assert_eq!(tags.last(), Some(&sheet(&["a", "b"]).etag(Some(&[one, another]))));
            }
        }
        tags.push(other.etag(Some(&viewers()[..2])));
        let all = tags.len();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), all);
        assert!(tags.iter().all(|tag| tag.len() == 34 && tag.starts_with('"') && tag.ends_with('"')));
    }

    #[test]
    fn it_is_packed_once() {
        let sheet = sheet(&["a"]);
        assert_eq!(sheet.packed(|body| Some(body.slice(..1))), Some(Bytes::from_static(b"{")));
        assert_eq!(sheet.packed(|_| None), Some(Bytes::from_static(b"{")));
    }
}
