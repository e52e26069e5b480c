//! The words of `/ws` for who watches a party.

use bytes::Bytes;
use party_gallery_actors::realtime::{Audience, Frame, Topic, Voice};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    codec_json::{Event, encode},
    rooms::{TOLD_OF_VIEWERS, party},
};

/// The words of `/ws` for who watches a party. A face is a UserSummary, JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonVoice;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Watching<'a> {
    party_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<&'a RawValue>,
    viewer_count: usize,
}

impl JsonVoice {
    fn say(event: &'static str, topic: Topic, face: Option<&Bytes>, viewer_count: usize) -> Frame {
        let viewer = face.and_then(|face| serde_json::from_slice(face).ok());
        encode(&Event { event, data: Watching { party_id: party(topic), viewer, viewer_count } })
    }
}

impl Voice for JsonVoice {
    fn audience(&self) -> Audience {
        TOLD_OF_VIEWERS
    }

    fn came(&self, topic: Topic, face: &Bytes, count: usize) -> Frame {
        Self::say("party:viewer_joined", topic, Some(face), count)
    }

    fn went(&self, topic: Topic, face: &Bytes, count: usize) -> Frame {
        Self::say("party:viewer_left", topic, Some(face), count)
    }

    fn count(&self, topic: Topic, count: usize) -> Frame {
        Self::say("party:viewers", topic, None, count)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_words_for_viewers() {
        let (party, face) = (Uuid::from_u128(7), Bytes::from_static(br#"{"id":"x"}"#));
        let topic = Topic(7);
        let json = |frame: Frame| serde_json::from_slice::<Value>(frame.bytes()).unwrap();
        let named = json!({ "partyId": party, "viewer": { "id": "x" }, "viewerCount": 3 });
        assert_eq!(
            json(JsonVoice.came(topic, &face, 3)),
            json!({ "event": "party:viewer_joined", "data": named })
        );
        assert_eq!(
            json(JsonVoice.went(topic, &face, 3)),
            json!({ "event": "party:viewer_left", "data": named })
        );
        let counted = json!({ "partyId": party, "viewerCount": 51 });
        assert_eq!(json(JsonVoice.count(topic, 51)), json!({ "event": "party:viewers", "data": counted }));
    }
}
