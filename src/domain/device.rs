//! Devices that pushes go to.

use serde_json::Value;
use uuid::Uuid;

use super::{
    fields::{Fields, Wrong, word},
    moment::Moment,
};

/// The most devices of a user; of more the oldest go.
pub const DEVICES: i64 = 20;
const LONGEST_TOKEN: usize = 4096;

/// What a device runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Apple's.
    Ios,
    /// Google's.
    Android,
    /// A browser.
    Web,
}

impl Platform {
    const ALL: [Self; 3] = [Self::Ios, Self::Android, Self::Web];

    /// The word on the wire and on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Web => "web",
        }
    }

    /// The value of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == word)
    }
}

/// Where pushes are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The provider's name for the device.
    pub token: String,
    /// What it runs.
    pub platform: Platform,
}

impl Address {
    /// Reads one. `None`: something is wrong, which [`Fields::finish`] tells.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", token);
        let platform = fields.required("platform", word(Platform::named));
        Some(Self { token: token?, platform: platform? })
    }
}

/// As the provider wrote it: no blank is taken away, no letter changed.
fn token(value: &Value) -> Result<String, Wrong> {
    let text = value.as_str().ok_or(Wrong::new("INVALID_TYPE", "must be a string"))?;
    match text.len() {
        0 => Err(Wrong::new("TOO_SHORT", "is too short")),
        length if length > LONGEST_TOKEN => Err(Wrong::new("TOO_LONG", "is too long")),
        _ if text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') => Ok(text.to_owned()),
        _ => Err(Wrong::new("INVALID_CHARACTERS", "must be printable ASCII characters")),
    }
}

/// A device as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// UUIDv7.
    pub id: Uuid,
    /// What it runs.
    pub platform: Platform,
    /// Since when it is this user's.
    pub created_at: Moment,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_device_says_of_itself() {
        for (body, wrong) in [
            (json!({ "token": "a:b c", "platform": "ios" }), None),
            (json!({ "token": "x".repeat(4096), "platform": "web" }), None),
            (json!({ "token": "x".repeat(4097), "platform": "web" }), Some("TOO_LONG")),
            (json!({ "token": "", "platform": "android" }), Some("TOO_SHORT")),
            (json!({ "token": "a\n", "platform": "android" }), Some("INVALID_CHARACTERS")),
            (json!({ "token": "ä", "platform": "android" }), Some("INVALID_CHARACTERS")),
            (json!({ "token": 7, "platform": "android" }), Some("INVALID_TYPE")),
            (json!({ "platform": "android" }), Some("REQUIRED")),
            (json!({ "token": "a", "platform": "IOS" }), Some("UNKNOWN_VALUE")),
            (json!({ "token": "a" }), Some("REQUIRED")),
        ] {
            let mut fields = Fields::new(body.as_object().unwrap().clone());
            let read = Address::read(&mut fields);
            let told = fields.finish(read).err().map(|invalid| invalid.0[0].code);
            assert_eq!(told, wrong, "{body}");
        }
    }
}
