//! What an account is made of: a name, an address, a password, and what may stand there.

use std::fmt;

use serde_json::Value;

use super::{fields::Wrong, moment::Moment, person::Person};

/// A user, with all that they may see of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Their face.
    pub person: Person,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// Slugs of what they like.
    pub interests: Vec<String>,
    /// How many follow them.
    pub followers_count: i32,
    /// How many they follow.
    pub following_count: i32,
    /// Whether the person for whom this was read follows them.
    pub is_followed: bool,
    /// Where they are written to.
    pub email: String,
    /// Whether they are told of what happens.
    pub notifications_enabled: bool,
    /// Since when they are here.
    pub created_at: Moment,
}

/// A guest as they see themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Their face.
    pub person: Person,
    /// The party that they joined.
    pub party_id: uuid::Uuid,
    /// When they joined.
    pub created_at: Moment,
}

/// A user's unique name: 3 to 30 of `A-Z a-z 0-9 _`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

/// Names that would be taken for the service's own, or for a part of an address. In lower case and in order.
const RESERVED: [&str; 35] = [
    "about",
    "account",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "auth",
    "contact",
    "everyone",
    "guest",
    "health",
    "help",
    "host",
    "info",
    "login",
    "logout",
    "mail",
    "me",
    "moderator",
    "notifications",
    "null",
    "official",
    "parties",
    "party_gallery",
    "partygallery",
    "postmaster",
    "privacy",
    "register",
    "root",
    "security",
    "settings",
    "support",
    "system",
    "undefined",
    "webmaster",
];

impl Username {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// Its length, its characters, or a reserved word.
    pub fn read(value: &Value) -> Result<Self, Wrong> {
        let name = text(value)?.trim();
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Wrong::new("INVALID_CHARACTERS", "may hold letters from A to Z, digits and _"));
        }
        match name.len() {
            ..3 => return Err(Wrong::new("TOO_SHORT", "must have 3 characters at least")),
            31.. => return Err(Wrong::new("TOO_LONG", "must have 30 characters at most")),
            _ => {}
        }
        if RESERVED.binary_search(&name.to_ascii_lowercase().as_str()).is_ok() {
            return Err(Wrong::new("RESERVED", "is not to be had"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address, as a browser's own field takes it (HTML, "valid e-mail address"), with a dot in its domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn read(value: &Value) -> Result<Self, Wrong> {
        let address = text(value)?.trim();
        let is_one = address.split_once('@').is_some_and(|(name, domain)| {
            (1..=64).contains(&name.len()) && name.bytes().all(in_name) && is_domain(domain)
        });
        if address.len() > 254 || !is_one {
            return Err(Wrong::new("INVALID_EMAIL", "must be an e-mail address"));
        }
        Ok(Self(address.to_owned()))
    }

    /// The address as it was written; whose it is does not depend on upper and lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

/// A password that may be chosen: 10 to 128 scalars, and none of the 10,000 commonest. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Only those of 10 and more: shorter ones are refused anyhow.
const COMMONEST: &str = include_str!("commonest_passwords.txt");

impl Password {
    /// Reads one. Blanks count, wherever they stand.
    ///
    /// # Errors
    ///
    /// Its length, a control character, or that everybody tries it.
    pub fn read(value: &Value) -> Result<Self, Wrong> {
        let password = text(value)?;
        // A scalar has four bytes at most: nobody counts the scalars of a novel
        let length = if password.len() > 4 * 128 { usize::MAX } else { password.chars().count() };
        match length {
            ..10 => return Err(Wrong::new("TOO_SHORT", "must have 10 characters at least")),
            129.. => return Err(Wrong::new("TOO_LONG", "must have 128 characters at most")),
            _ => {}
        }
        if password.chars().any(char::is_control) {
            return Err(Wrong::new("INVALID_CHARACTERS", "holds characters that are not allowed"));
        }
        let lower = password.to_lowercase();
        if COMMONEST.lines().any(|common| common == lower) {
            return Err(Wrong::new("TOO_COMMON", "is one of the commonest passwords"));
        }
        Ok(Self(password.to_owned()))
    }

    /// Reads one that was chosen before, by whatever rules held then.
    ///
    /// # Errors
    ///
    /// It is no text, or longer than any that could be chosen.
    pub fn given(value: &Value) -> Result<Self, Wrong> {
        let password = text(value)?;
        if password.len() > 1024 {
            return Err(Wrong::new("TOO_LONG", "is too long"));
        }
        Ok(Self(password.to_owned()))
    }

    /// What to hash.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

fn text(value: &Value) -> Result<&str, Wrong> {
    value.as_str().ok_or(Wrong::new("INVALID_TYPE", "must be a string"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused<T>(read: Result<T, Wrong>) -> Option<&'static str> {
        read.err().map(|wrong| wrong.code)
    }

    #[test]
    fn what_a_username_may_be() {
        assert!(RESERVED.is_sorted());
        for (name, code) in [
            ("ada", None),
            ("Ada_Lovelace_1815", None),
            (" ada ", None),
            ("ad", Some("TOO_SHORT")),
            ("", Some("TOO_SHORT")),
            (&"a".repeat(30), None),
            (&"a".repeat(31), Some("TOO_LONG")),
            ("ada lovelace", Some("INVALID_CHARACTERS")),
            ("ada-lovelace", Some("INVALID_CHARACTERS")),
            ("ädä", Some("INVALID_CHARACTERS")),
            ("admin", Some("RESERVED")),
            ("ADMIN", Some("RESERVED")),
            ("Party_Gallery", Some("RESERVED")),
            ("admin2", None),
        ] {
            assert_eq!(refused(Username::read(&json!(name))), code, "{name:?}");
        }
        assert_eq!(refused(Username::read(&json!(7))), Some("INVALID_TYPE"));
        assert_eq!(Username::read(&json!(" Ada ")).unwrap().as_str(), "Ada");
    }

    #[test]
    fn what_an_address_may_be() {
        let long = format!("{}@{}.example", "a".repeat(64), ["b".repeat(60).as_str(); 3].join("."));
        assert_eq!(long.len(), 255);
        for (address, is_one) in [
            ("ada@example.org", true),
            ("Ada.L+party@mail.example.co.uk", true),
            ("o'neil@example.org", true),
            (&long[1..], true),
            (&long, false),
            ("ada", false),
            ("ada@", false),
            ("@example.org", false),
            ("ada@example", false),
            ("ada@.org", false),
            ("ada@example..org", false),
            ("ada@-example.org", false),
            ("ada@exam ple.org", false),
            ("ada lovelace@example.org", false),
            ("ada@b@example.org", false),
            ("ada@example.org\r\nBcc: x@y.z", false),
            ("<ada@example.org>", false),
            (&format!("{}@example.org", "a".repeat(65)), false),
            ("", false),
        ] {
            assert_eq!(Email::read(&json!(address)).is_ok(), is_one, "{address:?}");
        }
        assert_eq!(Email::read(&json!(" Ada@Example.org ")).unwrap().as_str(), "Ada@Example.org");
    }

    #[test]
    fn what_a_password_may_be() {
        for (password, code) in [
            ("correct horse", None),
            ("äöüßäöüßäö", None),
            ("🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉", None),
            ("   blanks   ", None),
            ("123456789", Some("TOO_SHORT")),
            ("🎉🎉🎉🎉🎉🎉🎉🎉🎉", Some("TOO_SHORT")),
            (&"🎉".repeat(128), None),
            (&"x".repeat(129), Some("TOO_LONG")),
            (&"x".repeat(100_000), Some("TOO_LONG")),
            ("with\u{0}nothing in it", Some("INVALID_CHARACTERS")),
            ("1234567890", Some("TOO_COMMON")),
            ("qwertyuiop", Some("TOO_COMMON")),
            ("QwertyUiop", Some("TOO_COMMON")),
            ("password123", Some("TOO_COMMON")),
        ] {
            assert_eq!(refused(Password::read(&json!(password))), code, "{password:?}");
        }
        assert_eq!(format!("{:?}", Password::given(&json!("short")).unwrap()), "Password(***)");
    }

    #[test]
    fn the_commonest_are_in_lower_case_and_long_enough_to_matter() {
        let passwords: Vec<_> = COMMONEST.lines().filter(|line| !line.starts_with("# ")).collect();
        assert!(passwords.len() > 250 && passwords.is_sorted());
        assert!(passwords.iter().all(|p| p.chars().count() >= 10 && p.to_lowercase() == **p));
    }
}
