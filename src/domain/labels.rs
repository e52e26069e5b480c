//! What its uploader writes beside a media, and how it is edited.

use super::{
    fields::{Change, Fields, Invalid, word},
    media::{Media, Mood},
    revision, tag,
    text::Caption,
};

/// What stands beside a media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Below it.
    pub caption: Option<String>,
    /// What it feels like.
    pub mood: Option<Mood>,
    /// Slugs, each once.
    pub tags: Vec<String>,
}

/// An edit of what stands beside a media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    caption: Change<Option<String>>,
    mood: Change<Option<Mood>>,
    tags: Change<Vec<String>>,
}

impl Labels {
    /// Another for other labels, and the same for the same ones: what `If-Match` compares.
    pub fn revision(&self) -> i32 {
        let caption = self.caption.as_deref().unwrap_or_default();
        let texts = [caption, self.mood.map_or("", Mood::as_str)];
        revision::of(texts.into_iter().chain(self.tags.iter().map(String::as_str)))
    }
}

impl From<&Media> for Labels {
    fn from(media: &Media) -> Self {
        Self { caption: media.caption.clone(), mood: media.mood, tags: media.tags.clone() }
    }
}

impl Edit {
    /// Reads one; null clears.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub fn read(mut fields: Fields) -> Result<Self, Invalid> {
        let caption = fields.clearable("caption", Caption::read);
        let mood = fields.clearable("mood", word(Mood::named));
        let tags = fields.clearable("tags", tag::read_all);
        let read = || {
            Some(Self {
                caption: match caption? {
                    Change::Set(text) => {
                        Change::Set(text.map(|text| text.as_str().to_owned()).filter(|text| !text.is_empty()))
                    }
                    Change::Keep => Change::Keep,
                },
                mood: mood?,
                tags: match tags? {
                    Change::Set(tags) => Change::Set(tags.unwrap_or_default()),
                    Change::Keep => Change::Keep,
                },
            })
        };
        let read = read();
        fields.finish(read)
    }

    /// `before` after this edit.
    pub fn apply(self, before: Labels) -> Labels {
        Labels {
            caption: self.caption.or(before.caption),
            mood: self.mood.or(before.mood),
            tags: self.tags.or(before.tags),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn labels() -> Labels {
        Labels { caption: Some("cake".to_owned()), mood: Some(Mood::Hype), tags: vec!["a".to_owned()] }
    }

    fn edited(edit: &Value) -> Result<Labels, Invalid> {
        Ok(Edit::read(Fields::new(edit.as_object().unwrap().clone()))?.apply(labels()))
    }

    #[test]
    fn what_is_named_changes_and_null_clears() {
        let none = || Labels { caption: None, mood: None, tags: Vec::new() };
        for (edit, expected) in [
            (json!({}), labels()),
            (json!({ "status": "READY" }), labels()),
            (json!({ "caption": null, "mood": null, "tags": null }), none()),
            (json!({ "caption": " ", "mood": null, "tags": [] }), none()),
            (
                json!({ "caption": " New\nyear " }),
                Labels { caption: Some("New\nyear".to_owned()), ..labels() },
            ),
            (json!({ "mood": "WILD" }), Labels { mood: Some(Mood::Wild), ..labels() }),
            (
                json!({ "tags": ["Hip Hop", "hip-hop", "b"] }),
                Labels { tags: vec!["hip-hop".to_owned(), "b".to_owned()], ..labels() },
            ),
        ] {
            assert_eq!(edited(&edit), Ok(expected), "{edit}");
        }
        let wrong = json!({ "caption": "x".repeat(501), "mood": "hype", "tags": "a" });
        let Invalid(errors) = edited(&wrong).unwrap_err();
        let paths: Vec<_> = errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["caption", "mood", "tags"]);
    }

    #[test]
    fn other_labels_have_another_revision() {
        let tags =
            |tags: &[&str]| Labels { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..labels() };
        let all = [
            labels(),
            tags(&["b"]),
            tags(&["a", "b"]),
            tags(&["ab"]),
            tags(&[]),
            Labels { mood: None, ..labels() },
            Labels { caption: None, ..labels() },
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(one.revision() >= 0);
            for (m, other) in all.iter().enumerate() {
                assert_eq!(one.revision() == other.revision(), n == m, "{one:?} {other:?}");
            }
        }
    }
}
