//! Usernames like one that is not to be had.

use serde_json::Value;

use super::account::Username;

/// The longest username.
const MOST: usize = 30;

/// Names that may be usernames, the best first; whether they are somebody's is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestions(pub Vec<String>);

impl Suggestions {
    /// Like `name`, whatever it holds; `chance` makes some of them differ from call to call.
    pub fn like(name: &str, chance: u64) -> Self {
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        // Of a novel only its beginning is looked at
        let stem = name.chars().take(4 * MOST).filter(fits);
        let stem: String = stem.map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(MOST).collect();
        let stem = stem.trim_matches('_');
        if stem.is_empty() {
            return Self(Vec::new());
        }
        let some = (0..3).map(|turn| 10 + (chance >> (16 * turn)) % 9_990);
        let numbered = (2..10).chain(some).map(|number| {
            let number = number.to_string();
            // Room for an underscore too
            let stem = stem.get(..MOST - 1 - number.len()).unwrap_or(stem);
            if stem.ends_with(|c: char| c.is_ascii_digit()) || stem.len() < 2 {
                format!("{stem}_{number}")
            } else {
                format!("{stem}{number}")
            }
        });
        let all = std::iter::once(stem.to_owned()).chain(numbered);
        Self(all.filter(|name| Username::read(&Value::from(name.as_str())).is_ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_suggestion_looks_like_what_was_asked_for() {
        let long = "a".repeat(40);
        for (name, first) in [
            ("ada", Some("ada")),
            ("Ada Lovelace", Some("Ada_Lovelace")),
            ("ada.lovelace", Some("ada_lovelace")),
            ("ädä", Some("d_2")),
            ("ad", Some("ad2")),
            ("a", Some("a_2")),
            ("admin", Some("admin2")),
            ("x7", Some("x7_2")),
            (long.as_str(), Some(&long[..30])),
            ("", None),
            ("___", None),
            ("🎉", None),
            ("%00\u{0}", Some("00_2")),
        ] {
            let Suggestions(names) = Suggestions::like(name, 7);
            assert_eq!(names.first().map(String::as_str), first, "{name:?}");
        }
        assert_ne!(Suggestions::like("ada", 7), Suggestions::like("ada", 8));
    }

    proptest! {
        #[test]
        fn whatever_is_suggested_may_be_a_username(name in "\\PC{0,60}", chance in any::<u64>()) {
            for name in Suggestions::like(&name, chance).0 {
                prop_assert!(Username::read(&Value::from(name.as_str())).is_ok(), "{}", name);
            }
        }
    }
}
