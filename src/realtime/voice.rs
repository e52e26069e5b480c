//! The words of `/ws` for who is in the rooms of a party.

use bytes::Bytes;
use party_gallery_actors::realtime::{Audience, Frame, Topic, Voice};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    codec_json::{Event, announce},
    rooms::{Room, party, told_of},
};

/// The words of `/ws` for who is in the rooms of a party. A face is a UserSummary, JSON.
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Talking<'a> {
    party_id: Uuid,
    user: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_typing: Option<bool>,
}

fn watching(event: &'static str, topic: Topic, face: Option<&Bytes>, viewer_count: usize) -> Frame {
    let viewer = face.and_then(|face| serde_json::from_slice(face).ok());
    announce(&Event { event, data: Watching { party_id: party(topic), viewer, viewer_count } })
}

fn talking(event: &'static str, topic: Topic, face: &Bytes, is_typing: Option<bool>) -> Frame {
    let user = serde_json::from_slice(face).ok();
    announce(&Event { event, data: Talking { party_id: party(topic), user, is_typing } })
}

impl Voice for JsonVoice {
    fn audience(&self, room: u8) -> Audience {
        Room::numbered(room).map(told_of).unwrap_or_default()
    }

    fn came(&self, topic: Topic, room: u8, face: &Bytes, count: usize) -> Option<Frame> {
        Some(match Room::numbered(room)? {
            Room::Live => watching("party:viewer_joined", topic, Some(face), count),
            Room::Chat => talking("chat:user_joined", topic, face, None),
        })
    }

    fn went(&self, topic: Topic, room: u8, face: &Bytes, count: usize) -> Option<Frame> {
        Some(match Room::numbered(room)? {
            Room::Live => watching("party:viewer_left", topic, Some(face), count),
            Room::Chat => talking("chat:user_left", topic, face, None),
        })
    }

    fn count(&self, topic: Topic, room: u8, count: usize) -> Option<Frame> {
        match Room::numbered(room)? {
            Room::Live => Some(watching("party:viewers", topic, None, count)),
            Room::Chat => None,
        }
    }

    fn shows(&self, topic: Topic, room: u8, face: &Bytes, is_on: bool) -> Option<Frame> {
        match Room::numbered(room)? {
            Room::Live => None,
            Room::Chat => Some(talking("chat:user_typing", topic, face, Some(is_on))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_words_for_who_is_in_which_room() {
        const LIVE: u8 = 0;
        const CHAT: u8 = 1;
        let (id, face, topic) = (Uuid::from_u128(7), Bytes::from_static(br#"{"id":"x"}"#), Topic(7));
        let (came, went) = (JsonVoice.came(topic, LIVE, &face, 3), JsonVoice.went(topic, LIVE, &face, 3));
        let viewer = json!({ "partyId": id, "viewer": { "id": "x" }, "viewerCount": 3 });
        let user = json!({ "partyId": id, "user": { "id": "x" } });
        let typing = |is_typing| json!({ "partyId": id, "user": { "id": "x" }, "isTyping": is_typing });
        for (frame, event, data) in [
            (came, "party:viewer_joined", viewer.clone()),
            (went, "party:viewer_left", viewer),
            (JsonVoice.count(topic, LIVE, 51), "party:viewers", json!({ "partyId": id, "viewerCount": 51 })),
            (JsonVoice.came(topic, CHAT, &face, 3), "chat:user_joined", user.clone()),
            (JsonVoice.went(topic, CHAT, &face, 3), "chat:user_left", user),
            (JsonVoice.shows(topic, CHAT, &face, true), "chat:user_typing", typing(true)),
            (JsonVoice.shows(topic, CHAT, &face, false), "chat:user_typing", typing(false)),
        ] {
            let said: Value = serde_json::from_slice(frame.unwrap().bytes()).unwrap();
            assert_eq!(said, json!({ "event": event, "data": data }));
        }
        for none in [
            JsonVoice.shows(topic, LIVE, &face, true),
            JsonVoice.count(topic, CHAT, 51),
            JsonVoice.came(topic, 9, &face, 1),
        ] {
            assert_eq!(none, None);
        }
    }
}
