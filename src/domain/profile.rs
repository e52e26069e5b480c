//! What users say of themselves, and edit.

use serde::Serialize;

use super::{
    account::Account,
    fields::{self, Change, Fields, Invalid},
    tag,
    text::{Bio, Name},
};

/// All of a user that they edit themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// Their first name.
    pub first_name: Option<String>,
    /// Their last name.
    pub last_name: Option<String>,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// Slugs of what they like.
    pub interests: Vec<String>,
    /// Whether they are told of what happens.
    pub notifications_enabled: bool,
}

/// What is to change of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    first_name: Change<Option<String>>,
    last_name: Change<Option<String>>,
    bio: Change<Option<String>>,
    interests: Change<Vec<String>>,
    notifications_enabled: Change<bool>,
}

impl Profile {
    /// As it is.
    pub fn of(account: &Account) -> Self {
        Self {
            first_name: account.person.first_name.clone(),
            last_name: account.person.last_name.clone(),
            bio: account.bio.clone(),
            interests: account.interests.clone(),
            notifications_enabled: account.notifications_enabled,
        }
    }

    /// What somebody with that username is called, who has these names or none.
    pub fn display_name(&self, username: &str) -> String {
        let names: Vec<_> = self.first_name.iter().chain(&self.last_name).map(String::as_str).collect();
        if names.is_empty() { username.to_owned() } else { names.join(" ") }
    }
}

impl Edit {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub fn read(mut fields: Fields) -> Result<Self, Invalid> {
        let name = |name: &_| Name::read(name).map(|name| name.as_str().to_owned());
        let first_name = fields.clearable("firstName", name);
        let last_name = fields.clearable("lastName", name);
        let bio = fields.clearable("bio", |bio| Bio::read(bio).map(|bio| bio.as_str().to_owned()));
        let interests = fields.clearable("interests", tag::read_all);
        let notifications_enabled = fields.replaceable("notificationsEnabled", fields::flag);
        let read = || {
            Some(Self {
                first_name: first_name?,
                last_name: last_name?,
                bio: match bio? {
                    Change::Set(bio) => Change::Set(bio.filter(|bio| !bio.is_empty())),
                    Change::Keep => Change::Keep,
                },
                interests: match interests? {
                    Change::Set(interests) => Change::Set(interests.unwrap_or_default()),
                    Change::Keep => Change::Keep,
                },
                notifications_enabled: notifications_enabled?,
            })
        };
        let read = read();
        fields.finish(read)
    }

    /// `before` after this edit.
    #[must_use]
    pub fn apply(self, before: &Profile) -> Profile {
        let before = before.clone();
        Profile {
            first_name: self.first_name.or(before.first_name),
            last_name: self.last_name.or(before.last_name),
            bio: self.bio.or(before.bio),
            interests: self.interests.or(before.interests),
            notifications_enabled: self.notifications_enabled.or(before.notifications_enabled),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn edit(value: &Value) -> Result<Edit, Invalid> {
        Edit::read(Fields::new(value.as_object().cloned().unwrap()))
    }

    fn before() -> Profile {
        Profile {
            first_name: Some("Ada".to_owned()),
            last_name: Some("Lovelace".to_owned()),
            bio: Some("I count.".to_owned()),
            interests: vec!["poetry".to_owned()],
            notifications_enabled: true,
        }
    }

    #[test]
    fn an_edit_changes_what_it_names_and_null_clears() {
        for (body, after) in [
            (json!({}), before()),
            (json!({ "username": "other", "email": "x", "followersCount": 7, "avatarUrl": "x" }), before()),
            (json!({ "firstName": " Eda " }), Profile { first_name: Some("Eda".to_owned()), ..before() }),
            (json!({ "bio": "  " }), Profile { bio: None, ..before() }),
            (
                json!({ "interests": ["Hip Hop", "hip-hop"] }),
                Profile { interests: vec!["hip-hop".to_owned()], ..before() },
            ),
            (json!({ "notificationsEnabled": false }), Profile { notifications_enabled: false, ..before() }),
            (
                json!({ "firstName": null, "lastName": null, "bio": null, "interests": null }),
                Profile {
                    first_name: None,
                    last_name: None,
                    bio: None,
                    interests: Vec::new(),
                    notifications_enabled: true,
                },
            ),
        ] {
            assert_eq!(edit(&body).unwrap().apply(&before()), after, "{body}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let many: Vec<_> = (0..11).map(|number| number.to_string()).collect();
        let wrong = edit(&json!({
            "firstName": "", "lastName": "x".repeat(51), "bio": "x".repeat(501), "interests": many,
            "notificationsEnabled": null,
        }));
        let told: Vec<_> = wrong.unwrap_err().0.into_iter().map(|error| (error.path, error.code)).collect();
        let expected = [
            ("firstName", "TOO_SHORT"),
            ("lastName", "TOO_LONG"),
            ("bio", "TOO_LONG"),
            ("interests", "TOO_MANY"),
            ("notificationsEnabled", "INVALID_TYPE"),
        ];
        assert_eq!(told, expected.map(|(path, code)| (path.to_owned(), code)));
    }

    #[test]
    fn somebody_without_names_is_called_by_their_username() {
        let name = |first: Option<&str>, last: Option<&str>| {
            let profile = Profile {
                first_name: first.map(str::to_owned),
                last_name: last.map(str::to_owned),
                ..before()
            };
            profile.display_name("ada")
        };
        assert_eq!(name(Some("Ada"), Some("Lovelace")), "Ada Lovelace");
        assert_eq!(name(Some("Ada"), None), "Ada");
        assert_eq!(name(None, Some("Lovelace")), "Lovelace");
        assert_eq!(name(None, None), "ada");
    }
}
