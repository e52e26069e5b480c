//! Tags: words that parties and media are found by, in one spelling.

use serde_json::Value;

use unicode_normalization::UnicodeNormalization as _;

use super::{
    fields::Wrong,
    limits::{TAG_LENGTH, TAGS},
    text::words,
};

/// A tag in use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Used {
    /// Its slug.
    pub tag: String,
    /// How often it is used.
    pub count: i64,
}

/// Reads a list of tags: each becomes its slug, and each slug stands once.
///
/// # Errors
///
/// No list of texts, too many, or one that is too long or has neither a letter nor a digit.
pub fn read_all(value: &Value) -> Result<Vec<String>, Wrong> {
    const NO_LIST: Wrong = Wrong::new("INVALID_TYPE", "must be a list of strings");
    let mut slugs = Vec::new();
    for tag in value.as_array().ok_or(NO_LIST)? {
        let slug = read(tag)?;
        if !slugs.contains(&slug) {
            slugs.push(slug);
        }
        if slugs.len() > TAGS {
            return Err(Wrong::new("TOO_MANY", "has more than 10 tags"));
        }
    }
    Ok(slugs)
}

/// Reads a tag as its slug.
///
/// # Errors
///
/// No text, too long, or without a letter and a digit.
pub fn read(value: &Value) -> Result<String, Wrong> {
    let text = value.as_str().ok_or(Wrong::new("INVALID_TYPE", "must be a string"))?.trim();
    if text.len() > 4 * TAG_LENGTH || text.chars().count() > TAG_LENGTH {
        return Err(Wrong::new("TOO_LONG", "has a tag of more than 50 characters"));
    }
    let slug = slug(text);
    if slug.is_empty() {
        return Err(Wrong::new("TOO_SHORT", "has a tag without a letter or digit"));
    }
    Ok(slug)
}

/// Reads how a tag begins; nothing is how all begin.
///
/// # Errors
///
/// As [`read`].
pub fn read_beginning(value: &Value) -> Result<Option<String>, Wrong> {
    let is_blank = value.as_str().is_some_and(|text| text.trim().is_empty());
    if is_blank { Ok(None) } else { read(value).map(Some) }
}

/// Letters and digits in lower case, with single hyphens for what lies between them.
fn slug(text: &str) -> String {
    let lower: String = text.to_lowercase().nfc().collect();
    let words: Vec<_> = words(&lower).collect();
    // Some capitals have longer small letters
    words.join("-").chars().take(TAG_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tag_has_one_spelling() {
        for (tag, slug) in [
            ("Techno", Some("techno")),
            ("  Hip Hop ", Some("hip-hop")),
            ("#Drum & Bass!", Some("drum-bass")),
            ("Köln", Some("köln")),
            ("90s", Some("90s")),
            // As some keyboards and file systems compose it
            ("Ko\u{308}ln", Some("köln")),
            ("ปาร์ตี้!", Some("ปาร์ตี้")),
            ("हिन्दी गाने", Some("हिन्दी-गाने")),
            ("\u{301}", None),
            ("-", None),
            ("", None),
        ] {
            assert_eq!(read(&json!(tag)).ok().as_deref(), slug, "{tag}");
        }
        assert!(read(&json!("x".repeat(50))).is_ok());
        assert!(read(&json!("x".repeat(51))).is_err());
        assert!(read(&json!(5)).is_err());
    }

    #[test]
    fn each_stands_once_and_ten_are_enough() {
        assert_eq!(read_all(&json!(["A b", "a-B", "c"])).unwrap(), ["a-b", "c"]);
        let many: Vec<_> = (0..11).map(|n| n.to_string()).collect();
        assert!(read_all(&json!(many)).is_err());
        assert!(read_all(&json!(many[..10])).is_ok());
        assert!(read_all(&json!("a")).is_err());
        assert!(read_all(&json!([null])).is_err());
    }
}
