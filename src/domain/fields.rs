//! Reads a client's object field by field and tells all that is wrong with it at once.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

/// What is wrong with a value, whatever its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// For programs.
    pub code: &'static str,
    /// For people; goes on after the field's name.
    pub message: Cow<'static, str>,
}

impl Wrong {
    /// With a fixed message.
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: `venue.name`.
    pub path: String,
    /// For people.
    pub message: String,
    /// For programs.
    pub code: &'static str,
}

/// All that is wrong with an object; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} fields are wrong", .0.len())]
pub struct Invalid(pub Vec<FieldError>);

impl Invalid {
    /// One field is wrong.
    pub fn one(path: &str, wrong: &Wrong) -> Self {
        Self(vec![FieldError::new(path.to_owned(), wrong)])
    }
}

impl FieldError {
    fn new(path: String, wrong: &Wrong) -> Self {
        Self { path, message: wrong.message.clone().into_owned(), code: wrong.code }
    }
}

/// What an edit does to a field that may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// The field was not named.
    Keep,
    /// It becomes this; `None` clears it.
    Set(T),
}

impl<T> Change<T> {
    /// What it is after the edit, if it was `before`.
    pub fn or(self, before: T) -> T {
        match self {
            Self::Keep => before,
            Self::Set(value) => value,
        }
    }
}

/// An object's fields, as far as they are not read yet. Unknown ones are ignored.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    prefix: String,
    errors: Vec<FieldError>,
}

const REQUIRED: Wrong = Wrong::new("REQUIRED", "is required");
const NOT_NULL: Wrong = Wrong::new("INVALID_TYPE", "must not be null");

impl Fields {
    /// The fields of `object`.
    pub fn new(object: Map<String, Value>) -> Self {
        Self { object, prefix: String::new(), errors: Vec::new() }
    }

    /// A field that must be there. `None`: it is wrong, which [`Fields::finish`] tells.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Option<T> {
        let value = match self.object.remove(name) {
            None => Err(REQUIRED),
            Some(Value::Null) => Err(NOT_NULL),
            Some(value) => read(&value),
        };
        self.note(name, value)
    }

    /// A field that may be missing or null. `None`: it is wrong.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Wrong>,
    ) -> Option<Option<T>> {
        let value = match self.object.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(&value).map(Some),
        };
        self.note(name, value)
    }

    /// An edit of a field that null clears. `None`: it is wrong.
    pub fn clearable<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Wrong>,
    ) -> Option<Change<Option<T>>> {
        let value = match self.object.remove(name) {
            None => Ok(Change::Keep),
            Some(Value::Null) => Ok(Change::Set(None)),
            Some(value) => read(&value).map(|value| Change::Set(Some(value))),
        };
        self.note(name, value)
    }

    /// An edit of a field that cannot be cleared. `None`: it is wrong.
    pub fn replaceable<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Wrong>,
    ) -> Option<Change<T>> {
        let value = match self.object.remove(name) {
            None => Ok(Change::Keep),
            Some(Value::Null) => Err(NOT_NULL),
            Some(value) => read(&value).map(Change::Set),
        };
        self.note(name, value)
    }

    /// An object in a field, whose own fields `read` reads; errors are told with its path.
    pub fn nested<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let path = self.path(name);
        let Value::Object(object) = value else {
            self.errors.push(FieldError::new(path, &Wrong::new("INVALID_TYPE", "must be an object")));
            return None;
        };
        let mut inner = Self { object: object.clone(), prefix: format!("{path}."), errors: Vec::new() };
        let read = read(&mut inner);
        self.errors.append(&mut inner.errors);
        read
    }

    /// Takes a field as it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name)
    }

    /// Tells that a field is wrong for a reason that several fields make together.
    pub fn refuse(&mut self, name: &str, wrong: &Wrong) {
        let path = self.path(name);
        self.errors.push(FieldError::new(path, wrong));
    }

    /// `value`, unless something was wrong.
    ///
    /// # Errors
    ///
    /// All that was wrong.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Invalid> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Invalid(self.errors)),
        }
    }

    fn note<T>(&mut self, name: &str, value: Result<T, Wrong>) -> Option<T> {
        value.map_err(|wrong| self.refuse(name, &wrong)).ok()
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Reads true or false.
///
/// # Errors
///
/// It is neither.
pub fn flag(value: &Value) -> Result<bool, Wrong> {
    value.as_bool().ok_or(Wrong::new("INVALID_TYPE", "must be true or false"))
}

/// As [`flag`], of a query, where all is text.
///
/// # Errors
///
/// It is neither.
pub fn written_flag(value: &Value) -> Result<bool, Wrong> {
    match value.as_str() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        _ => Err(Wrong::new("INVALID_TYPE", "must be true or false")),
    }
}

/// Reads a whole number from `least` to `most`.
///
/// # Errors
///
/// It is none, or lies outside.
pub fn number(least: i64, most: i64) -> impl FnOnce(&Value) -> Result<i64, Wrong> {
    move |value| within(value.as_i64(), least, most)
}

/// As [`number`], of a query, where all is text.
///
/// # Errors
///
/// It is none, or lies outside.
pub fn written_number(least: i64, most: i64) -> impl FnOnce(&Value) -> Result<i64, Wrong> {
    move |value| within(value.as_str().and_then(|text| text.parse().ok()), least, most)
}

fn within(number: Option<i64>, least: i64, most: i64) -> Result<i64, Wrong> {
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| Wrong {
        code: "OUT_OF_RANGE",
        message: format!("must be a whole number from {least} to {most}").into(),
    })
}

/// Reads an id.
///
/// # Errors
///
/// It is no UUID.
pub fn id(value: &Value) -> Result<uuid::Uuid, Wrong> {
    let id = value.as_str().and_then(|text| text.parse().ok());
    id.ok_or(Wrong::new("INVALID_ID", "must be an id"))
}

/// Reads one of the words of a vocabulary.
///
/// # Errors
///
/// It is none of them.
pub fn word<T>(named: impl FnOnce(&str) -> Option<T>) -> impl FnOnce(&Value) -> Result<T, Wrong> {
    move |value| {
        value.as_str().and_then(named).ok_or(Wrong::new("UNKNOWN_VALUE", "is none of the known values"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::text::{Title, VenueName};

    fn fields(value: Value) -> Fields {
        let Value::Object(object) = value else { panic!("an object") };
        Fields::new(object)
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let mut fields =
            fields(json!({ "title": "x", "venue": { "name": 5 }, "isPrivate": "yes", "more": 1 }));
        let title = fields.required("title", Title::read);
        let venue = fields.take("venue").unwrap();
        let venue = fields.nested("venue", &venue, |venue| venue.required("name", VenueName::read));
        let is_private = fields.optional("isPrivate", flag);
        let starts = fields.required("startsAt", id);
        let read = title.zip(venue).zip(is_private).zip(starts);
        let Invalid(errors) = fields.finish(read).unwrap_err();
        let told: Vec<_> = errors.iter().map(|error| (error.path.as_str(), error.code)).collect();
        let expected = [
            ("title", "TOO_SHORT"),
            ("venue.name", "INVALID_TYPE"),
            ("isPrivate", "INVALID_TYPE"),
            ("startsAt", "REQUIRED"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_edit_tells_keeping_from_clearing() {
        let mut fields = fields(json!({ "a": null, "b": "text here", "c": null }));
        assert_eq!(fields.clearable("a", Title::read), Some(Change::Set(None)));
        assert!(matches!(fields.clearable("b", Title::read), Some(Change::Set(Some(_)))));
        assert_eq!(fields.clearable("d", Title::read), Some(Change::Keep));
        assert_eq!(fields.replaceable("d", Title::read), Some(Change::Keep));
        assert_eq!(fields.replaceable("c", Title::read), None);
        assert_eq!(fields.finish(Some(())).unwrap_err().0.len(), 1);
        assert_eq!(Change::Keep.or(1) + Change::Set(2).or(1), 3);
    }

    #[test]
    fn numbers_come_as_numbers_and_from_queries_as_text() {
        for (value, as_number, as_text) in [
            (json!(1), Some(1), None),
            (json!("100"), None, Some(100)),
            (json!(101), None, None),
            (json!("101"), None, None),
            (json!("0"), None, None),
            (json!(1.5), None, None),
            (json!("x"), None, None),
            (json!(null), None, None),
        ] {
            assert_eq!(number(1, 100)(&value).ok(), as_number, "{value}");
            assert_eq!(written_number(1, 100)(&value).ok(), as_text, "{value}");
        }
    }
}
