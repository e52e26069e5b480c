//! Pages of lists: how many, and from where on.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{body::Query, problem::Problem};
use crate::{
    domain::fields::{Fields, Invalid, Wrong, written_number},
    service::error::Error,
};

const DEFAULT: i64 = 20;
const MOST: i64 = 100;

/// What part of a list is asked for; `K` is the key of its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// At most so many, 1 to 100.
    pub limit: i64,
    /// Those after this one.
    pub after: Option<K>,
}

impl<K: DeserializeOwned> Page<K> {
    /// Reads `limit` and `cursor`. `None`: one is wrong.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional("limit", written_number(1, MOST));
        let after = fields.optional("cursor", decode);
        Some(Self { limit: limit?.unwrap_or(DEFAULT), after: after? })
    }
}

/// The page that is asked for, where who may not see any is not told what is wrong with the query either.
#[derive(Debug)]
pub struct Asked<K> {
    /// Those after this one.
    pub after: Option<K>,
    /// At most so many.
    pub limit: i64,
    wrong: Option<Invalid>,
}

impl<K: DeserializeOwned> Asked<K> {
    /// Reads what was asked; what is wrong with it is told by [`Asked::check`].
    pub fn read(Query(mut fields): Query) -> Self {
        let page = Page::read(&mut fields);
        match fields.finish(page) {
            Ok(Page { limit, after }) => Self { after, limit, wrong: None },
            Err(wrong) => Self { after: None, limit: 1, wrong: Some(wrong) },
        }
    }

    /// To be asked once the caller was let in.
    ///
    /// # Errors
    ///
    /// The query breaks a rule.
    pub fn check(&self) -> Result<(), Problem> {
        self.wrong.clone().map_or(Ok(()), |wrong| Err(Error::from(wrong).into()))
    }
}

/// What a list tells of itself.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    limit: i64,
    next_cursor: Option<String>,
    has_more: bool,
    /// The party's number when the list was read, where the list can be followed from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
    /// How much of the whole list is unread, where one reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<i64>,
}

impl Meta {
    /// Of a page of `limit` that goes on after `next`, if it does.
    pub fn new<K: Serialize>(limit: i64, next: Option<&K>) -> Self {
        let next_cursor = next.map(encode);
        Self { limit, has_more: next_cursor.is_some(), next_cursor, seq: None, unread: None }
    }

    /// With the party's number.
    #[must_use]
    pub fn at(mut self, seq: i64) -> Self {
        self.seq = Some(seq);
        self
    }

    /// With how much is unread.
    #[must_use]
    pub fn unread(mut self, unread: i64) -> Self {
        self.unread = Some(unread);
        self
    }
}

/// Opaque to clients, and nothing secret: keys of an order.
fn encode<K: Serialize>(key: &K) -> String {
    // Keys are numbers, strings and tuples of them: they can be written
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn decode<K: DeserializeOwned>(value: &Value) -> Result<K, Wrong> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    read().ok_or(Wrong::new("INVALID_CURSOR", "is no cursor of this list"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn read(query: &Value) -> Option<Page<(i64, String)>> {
        let object = query.as_object().cloned().unwrap_or_else(Map::new);
        Page::read(&mut Fields::new(object))
    }

    #[test]
    fn limits_are_1_to_100_and_cursors_are_ours() {
        assert_eq!(read(&json!({})), Some(Page { limit: 20, after: None }));
        assert_eq!(read(&json!({ "limit": "100" })), Some(Page { limit: 100, after: None }));
        for query in
            [json!({"limit":"0"}), json!({"limit":"101"}), json!({"limit":"x"}), json!({"cursor":"x"})]
        {
            assert_eq!(read(&query), None, "{query}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(seq in any::<i64>(), id in "\\PC{0,20}") {
            let meta = Meta::new(1, Some(&(seq, id.clone())));
            let cursor = serde_json::to_value(meta).unwrap()["nextCursor"].clone();
            prop_assert_eq!(read(&json!({ "cursor": cursor })).unwrap().after, Some((seq, id)));
        }

        #[test]
        fn no_cursor_can_panic(text in "\\PC{0,40}") {
            read(&json!({ "cursor": text }));
        }
    }
}
