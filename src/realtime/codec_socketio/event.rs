//! An event of `/ws` in the words of Socket.IO: what stands beside its data there is within it here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::packet::{Head, ROOT, encode};

/// What cannot be translated, since nothing of ours is not an event.
const FAILED: &str = r#"["error",{"code":"INTERNAL","message":"internal error"}]"#;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    party_id: Option<&'a RawValue>,
    #[serde(borrow)]
    seq: Option<&'a RawValue>,
}

/// The packet for an event of `/ws`, JSON.
pub(super) fn translate(json: &[u8]) -> String {
    let arguments = serde_json::from_slice(json).ok().and_then(|event| arguments(&event));
    encode(Head::Event, ROOT, arguments.as_deref().unwrap_or(FAILED), 0)
}

fn arguments(Event { event, data, party_id, seq }: &Event<'_>) -> Option<String> {
    let (Some(party_id), Some(seq)) = (party_id, seq) else {
        return Some(["[", event.get(), ",", data.get(), "]"].concat());
    };
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Known<'a> {
        #[serde(borrow)]
        party_id: Option<&'a RawValue>,
        #[serde(borrow)]
        seq: Option<&'a RawValue>,
    }
    let known: Known<'_> = serde_json::from_str(data.get()).ok()?;
    if known.seq.is_some() || known.party_id.is_none() {
        // A Message has a number of its own
        let mut members: BTreeMap<&str, &RawValue> = serde_json::from_str(data.get()).ok()?;
        members.insert("partyId", party_id);
        members.insert("seq", seq);
        let members = serde_json::to_string(&members).ok()?;
        return Some(["[", event.get(), ",", &members, "]"].concat());
    }
    let members = data.get().trim_end().strip_suffix('}')?;
    Some(["[", event.get(), ",", members, ",\"seq\":", seq.get(), "}]"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_the_data_is_within_it() {
        for (json, packet) in [
            (r#"{"event":"auth:expiring","data":{}}"#, r#"2["auth:expiring",{}]"#),
            (r#"{"event":"ping","data":null}"#, r#"2["ping",null]"#),
            (
                r#"{"event":"party:updated","data":{"partyId":"p","party":{"seq":1}},"partyId":"p","seq":7}"#,
                r#"2["party:updated",{"partyId":"p","party":{"seq":1},"seq":7}]"#,
            ),
            (
                r#"{"event":"chat:message_updated","data":{"id":"m","seq":3,"partyId":"p"},"partyId":"p","seq":7}"#,
                r#"2["chat:message_updated",{"id":"m","partyId":"p","seq":7}]"#,
            ),
            (
                r#"{"event":"chat:new_message","data":{"id":"m"},"partyId":"p","seq":7}"#,
                r#"2["chat:new_message",{"id":"m","partyId":"p","seq":7}]"#,
            ),
            ("", r#"2["error",{"code":"INTERNAL","message":"internal error"}]"#),
        ] {
            assert_eq!(translate(json.as_bytes()), packet);
        }
    }
}
