//! Text that people write: how long it may be, and what it may not hold.
//!
//! *Invariant:* what is kept is in normal form C, so that what looks the same is the same; lengths are counted in Unicode
//! scalars of that form, after the blanks around are gone: it may be longer than what was sent.

use serde::{Serialize, Serializer};
use serde_json::Value;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::fields::Wrong;

/// One line of `MIN` to `MAX` scalars, fit to stand beside other text: no control characters and nothing that turns
/// the direction of what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<const MIN: usize, const MAX: usize>(String);

/// Several lines of `MIN` to `MAX` scalars: no control characters but line feed and tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prose<const MIN: usize, const MAX: usize>(String);

/// What a person is called.
pub type DisplayName = Line<1, 50>;
/// A first or last name.
pub type Name = Line<1, 50>;
/// A party's title.
pub type Title = Line<3, 100>;
/// What a place is called.
pub type VenueName = Line<1, 200>;
/// Where a place is; also its city, country and the map's own id of it. Nothing is none.
pub type Address = Line<0, 500>;
/// What a person says of themselves.
pub type Bio = Prose<0, 500>;
/// What a party is about.
pub type Description = Prose<0, 2000>;
/// Why something is done.
pub type Reason = Prose<0, 500>;
/// What stands below a photo.
pub type Caption = Prose<0, 500>;
/// What is said below a photo.
pub type CommentText = Prose<1, 500>;
/// What is said in a chat; nothing, where a media speaks for itself.
pub type MessageText = Prose<0, 2000>;

impl<const MIN: usize, const MAX: usize> Line<MIN, MAX> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// No text, too short, too long, or with characters that it may not hold.
    pub fn read(value: &Value) -> Result<Self, Wrong> {
        let text = fitting(value, MIN, MAX)?;
        if text.chars().any(|c| c.is_control() || turns_direction(c)) {
            return Err(FORBIDDEN);
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> Prose<MIN, MAX> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// No text, too short, too long, or with characters that it may not hold.
    pub fn read(value: &Value) -> Result<Self, Wrong> {
        let text = fitting(value, MIN, MAX)?;
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(FORBIDDEN);
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> Serialize for Line<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The words of a text: letters and digits, each with the marks that belong to it.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c)))
        .filter(|word| word.contains(char::is_alphanumeric))
}

const FORBIDDEN: Wrong = Wrong::new("INVALID_CHARACTERS", "holds characters that are not allowed");

fn fitting(value: &Value, min: usize, max: usize) -> Result<String, Wrong> {
    let text = value.as_str().ok_or(Wrong::new("INVALID_TYPE", "must be a string"))?.trim();
    // A scalar has four bytes at most, and is sent as four scalars at most: nobody composes a novel
    let is_novel = text.len() > max.saturating_mul(16);
    let text: String = text.nfc().take(if is_novel { 0 } else { max.saturating_add(1) }).collect();
    let length = if is_novel { usize::MAX } else { text.chars().count() };
    if length < min {
        return Err(Wrong::new("TOO_SHORT", "is too short"));
    }
    if length > max {
        return Err(Wrong::new("TOO_LONG", "is too long"));
    }
    Ok(text)
}

/// Embeddings, overrides and isolates of the bidirectional algorithm: a name that turns its neighbours around.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_line_and_prose_may_hold() {
        let table = [
            ("abc", true, true),
            ("  abc  ", true, true),
            ("ab", false, false),
            ("  ab ", false, false),
            ("äöü", true, true),
            ("🎉🎉🎉🎉🎉", true, true),
            ("🎉🎉🎉🎉🎉🎉", false, false),
            ("a\nb", false, true),
            ("a\tb", false, true),
            ("a\rb", false, false),
            ("a\u{0}b", false, false),
            ("a\u{85}b", false, false),
            ("a\u{202E}b", false, true),
            ("a\u{2066}b", false, true),
        ];
        for (text, line, prose) in table {
            assert_eq!(Line::<3, 5>::read(&json!(text)).is_ok(), line, "{text:?} as a line");
            assert_eq!(Prose::<3, 5>::read(&json!(text)).is_ok(), prose, "{text:?} as prose");
        }
        assert!(Title::read(&json!(7)).is_err());
        let composed =
            [Title::read(&json!("Ko\u{308}ln")).unwrap().0, Bio::read(&json!("e\u{301}")).unwrap().0];
        assert_eq!(composed, ["Köln", "é"], "however it was typed");
        assert_eq!(Title::read(&json!(" My party ")).unwrap().as_str(), "My party");
    }

    #[test]
    fn lengths_are_those_of_what_is_kept() {
        // Three scalars each in normal form C
        let excluded = "\u{1D1C0}";
        assert_eq!(
            MessageText::read(&json!(excluded.repeat(667))),
            Err(Wrong::new("TOO_LONG", "is too long"))
        );
        assert_eq!(MessageText::read(&json!(excluded.repeat(666))).unwrap().as_str().chars().count(), 1998);
        let decomposed = "e\u{302}\u{301}";
        assert_eq!(MessageText::read(&json!(decomposed.repeat(2000))).unwrap().as_str(), "ế".repeat(2000));
        assert_eq!(Title::read(&json!("e\u{302}\u{301}")), Err(Wrong::new("TOO_SHORT", "is too short")));
    }
}
