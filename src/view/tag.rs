//! Tags as clients see them.

use serde::Serialize;

use crate::domain::tag::Used;

/// A tag, and how often it is used.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TagView<'a> {
    tag: &'a str,
    count: i64,
}

impl<'a> From<&'a Used> for TagView<'a> {
    fn from(used: &'a Used) -> Self {
        Self { tag: &used.tag, count: used.count }
    }
}
