//! What a party's hosts decide: the fields that can be edited, and what they have to fit.

use jiff::SignedDuration;
use serde_json::Value;

use super::Status;
use crate::domain::{
    fields::{self, Change, Fields, Invalid, Wrong},
    limits::{ATTENDEES, PARTY_HOURS},
    moment::Moment,
    tag,
    text::{Description, Title},
    venue::Venue,
};

/// What a party's hosts decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// When it begins by itself.
    pub starts_at: Moment,
    /// When it ends by itself.
    pub ends_at: Option<Moment>,
    /// Whether only members may know of it.
    pub is_private: bool,
    /// The most that `attendeesCount` may be.
    pub max_attendees: Option<i32>,
    /// Where it is.
    pub venue: Option<Venue>,
    /// Slugs, each once.
    pub tags: Vec<String>,
}

/// An edit of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    title: Change<String>,
    description: Change<Option<String>>,
    starts_at: Change<Moment>,
    ends_at: Change<Option<Moment>>,
    is_private: Change<bool>,
    max_attendees: Change<Option<i32>>,
    venue: Change<Option<Venue>>,
    tags: Change<Vec<String>>,
}

impl Plan {
    /// Reads the plan of a new party and whether it begins as a DRAFT.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub fn read(mut fields: Fields) -> Result<(Self, Status), Invalid> {
        let title = fields.required("title", title);
        let description = fields.optional("description", description);
        let starts_at = fields.required("startsAt", Moment::read);
        let ends_at = fields.optional("endsAt", Moment::read);
        let status = fields.optional("status", fields::word(first_status));
        let is_private = fields.optional("isPrivate", fields::flag);
        let max_attendees = fields.optional("maxAttendees", seats);
        let venue = venue(&mut fields);
        let tags = fields.optional("tags", tag::read_all);
        let read = || {
            let plan = Self {
                title: title?,
                description: description?.filter(|text| !text.is_empty()),
                starts_at: starts_at?,
                ends_at: ends_at?,
                is_private: is_private?.unwrap_or(false),
                max_attendees: max_attendees?,
                venue: venue?.or(None),
                tags: tags?.unwrap_or_default(),
            };
            Some((plan, status?.unwrap_or(Status::Planned)))
        };
        let read = read();
        if let Some((plan, _)) = &read
            && let Err(wrong) = plan.lasts()
        {
            fields.refuse("endsAt", &wrong);
        }
        fields.finish(read)
    }

    /// Whether it ends after it begins, and soon enough.
    fn lasts(&self) -> Result<(), Wrong> {
        let Some(ends_at) = self.ends_at else { return Ok(()) };
        let lasts = ends_at.0.duration_since(self.starts_at.0);
        if lasts <= SignedDuration::ZERO {
            return Err(Wrong::new("INVALID_RANGE", "must be after startsAt"));
        }
        if lasts > SignedDuration::from_hours(PARTY_HOURS) {
            return Err(Wrong::new("INVALID_RANGE", "must be at most 72 hours after startsAt"));
        }
        Ok(())
    }
}

impl Edit {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub fn read(mut fields: Fields) -> Result<Self, Invalid> {
        let title = fields.replaceable("title", title);
        let description = fields.clearable("description", description);
        let starts_at = fields.replaceable("startsAt", Moment::read);
        let ends_at = fields.clearable("endsAt", Moment::read);
        let is_private = fields.replaceable("isPrivate", fields::flag);
        let max_attendees = fields.clearable("maxAttendees", seats);
        let venue = venue(&mut fields);
        let tags = fields.clearable("tags", tag::read_all);
        let read = || {
            Some(Self {
                title: title?,
                description: match description? {
                    Change::Set(text) => Change::Set(text.filter(|text| !text.is_empty())),
                    Change::Keep => Change::Keep,
                },
                starts_at: starts_at?,
                ends_at: ends_at?,
                is_private: is_private?,
                max_attendees: max_attendees?,
                venue: venue?,
                tags: match tags? {
                    Change::Set(tags) => Change::Set(tags.unwrap_or_default()),
                    Change::Keep => Change::Keep,
                },
            })
        };
        let read = read();
        fields.finish(read)
    }

    /// `before` after this edit. Dates that are not changed are not judged again.
    ///
    /// # Errors
    ///
    /// The dates do not go together.
    pub fn apply(self, before: &Plan) -> Result<Plan, Invalid> {
        let before = before.clone();
        let dates = (before.starts_at, before.ends_at);
        let after = Plan {
            title: self.title.or(before.title),
            description: self.description.or(before.description),
            starts_at: self.starts_at.or(before.starts_at),
            ends_at: self.ends_at.or(before.ends_at),
            is_private: self.is_private.or(before.is_private),
            max_attendees: self.max_attendees.or(before.max_attendees),
            venue: self.venue.or(before.venue),
            tags: self.tags.or(before.tags),
        };
        if (after.starts_at, after.ends_at) != dates
            && let Err(wrong) = after.lasts()
        {
            return Err(Invalid::one("endsAt", &wrong));
        }
        Ok(after)
    }
}

fn title(value: &Value) -> Result<String, Wrong> {
    Title::read(value).map(|title| title.as_str().to_owned())
}

fn description(value: &Value) -> Result<String, Wrong> {
    Description::read(value).map(|text| text.as_str().to_owned())
}

fn seats(value: &Value) -> Result<i32, Wrong> {
    let seats = fields::number(*ATTENDEES.start(), *ATTENDEES.end())(value)?;
    // The limit fits
    Ok(i32::try_from(seats).unwrap_or(i32::MAX))
}

fn first_status(name: &str) -> Option<Status> {
    Status::named(name).filter(|status| matches!(status, Status::Draft | Status::Planned))
}

fn venue(fields: &mut Fields) -> Option<Change<Option<Venue>>> {
    match fields.take("venue") {
        None => Some(Change::Keep),
        Some(Value::Null) => Some(Change::Set(None)),
        Some(value) => fields.nested("venue", &value, Venue::read).map(|venue| Change::Set(Some(venue))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: &Value) -> Fields {
        Fields::new(value.as_object().unwrap().clone())
    }

    fn wrong<T>(read: Result<T, Invalid>) -> Vec<String> {
        let errors = read.err().map(|invalid| invalid.0).unwrap_or_default();
        errors.into_iter().map(|error| format!("{} {}", error.path, error.code)).collect()
    }

    fn plan(more: &Value) -> Result<(Plan, Status), Invalid> {
        let mut object = json!({ "title": "Party", "startsAt": "2026-05-01T20:00:00Z" });
        for (name, value) in more.as_object().unwrap() {
            object[name] = value.clone();
        }
        Plan::read(fields(&object))
    }

    #[test]
    fn a_new_party_fits_the_limits() {
        for (more, errors) in [
            (json!({}), &[][..]),
            (json!({ "status": "DRAFT", "maxAttendees": 2, "isPrivate": true, "tags": ["A"] }), &[]),
            (json!({ "endsAt": "2026-05-04T20:00:00Z" }), &[]),
            (json!({ "endsAt": "2026-05-04T20:00:01Z" }), &["endsAt INVALID_RANGE"]),
            (json!({ "endsAt": "2026-05-01T20:00:00Z" }), &["endsAt INVALID_RANGE"]),
            (json!({ "status": "LIVE" }), &["status UNKNOWN_VALUE"]),
            (json!({ "maxAttendees": 1 }), &["maxAttendees OUT_OF_RANGE"]),
            (json!({ "maxAttendees": 100_001 }), &["maxAttendees OUT_OF_RANGE"]),
            (json!({ "maxAttendees": "50" }), &["maxAttendees OUT_OF_RANGE"]),
            (json!({ "venue": "x" }), &["venue INVALID_TYPE"]),
            (json!({ "venue": {} }), &["venue.name REQUIRED"]),
            (
                json!({ "title": "x\u{0}y", "startsAt": 5 }),
                &["title INVALID_CHARACTERS", "startsAt INVALID_DATE"],
            ),
            (json!({ "description": "d".repeat(2001) }), &["description TOO_LONG"]),
        ] {
            assert_eq!(wrong(plan(&more)), errors, "{more}");
        }
        assert_eq!(plan(&json!({})).unwrap().1, Status::Planned);
    }

    #[test]
    fn an_edit_keeps_what_it_does_not_name_and_clears_with_null() {
        let (before, _) = plan(&json!({
            "description": "words", "endsAt": "2026-05-01T23:00:00Z", "maxAttendees": 9,
            "venue": { "name": "Club" }, "tags": ["a"],
        }))
        .unwrap();
        let edit = |value: Value| Edit::read(fields(&value));
        assert_eq!(edit(json!({ "status": "ENDED" })).unwrap().apply(&before).unwrap(), before);
        let cleared = edit(json!({
            "description": null, "endsAt": null, "maxAttendees": null, "venue": null, "tags": null,
        }));
        let (bare, _) = plan(&json!({})).unwrap();
        assert_eq!(cleared.unwrap().apply(&before).unwrap(), bare);
        let nulls = json!({ "title": null, "startsAt": null, "isPrivate": null });
        assert_eq!(wrong(edit(nulls)).len(), 3);
    }

    #[test]
    fn dates_are_judged_again_only_when_they_change() {
        let (mut before, _) = plan(&json!({ "endsAt": "2026-05-01T23:00:00Z" })).unwrap();
        let edit = |value: Value| Edit::read(fields(&value)).unwrap();
        assert!(edit(json!({ "startsAt": "2026-05-02T20:00:00Z" })).apply(&before).is_err());
        assert!(edit(json!({ "startsAt": "2026-05-01T22:00:00Z" })).apply(&before).is_ok());
        // Kept by an older version that took more
        before.ends_at = Some(before.starts_at);
        assert!(edit(json!({ "title": "Other" })).apply(&before).is_ok());
        assert!(edit(json!({ "endsAt": "2026-05-01T20:00:00Z" })).apply(&before).is_ok());
        assert!(edit(json!({ "endsAt": "2026-05-01T19:00:00Z" })).apply(&before).is_err());
    }
}
