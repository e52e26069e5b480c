//! Screens as the hosts of their party see them.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::{display::Display, moment::Moment};

/// A screen.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DisplayView<'a> {
    id: Uuid,
    name: Option<&'a str>,
    created_at: Moment,
}

impl<'a> From<&'a Display> for DisplayView<'a> {
    fn from(display: &'a Display) -> Self {
        Self { id: display.id, name: display.name.as_deref(), created_at: display.created_at }
    }
}

/// A screen and what its requests carry.
#[derive(Serialize)]
pub struct NewDisplay<'a> {
    /// The screen, as JSON.
    pub display: &'a RawValue,
    /// A bearer token.
    pub token: &'a str,
}
