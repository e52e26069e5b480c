//! Work that a use case leaves behind, in the transaction that makes it necessary.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::error::Error;
use crate::{
    db::{Connection, DatabaseError, jobs},
    domain::{notification::Cause, picture::Picture},
};

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Task {
    /// Make a media fit to be shown.
    Develop {
        /// Which.
        media: Uuid,
    },
    /// Take the files of a media out of the store.
    Erase {
        /// Whose gallery it was in.
        party: Uuid,
        /// Which.
        media: Uuid,
    },
    /// Take a picture out of the store, unless it is the one that is shown.
    ErasePicture {
        /// Which.
        picture: Picture,
    },
    /// Tell everybody whom something concerns.
    Notify {
        /// Of what.
        cause: Cause,
        /// Everybody up to this person has been told.
        #[serde(default)]
        after: Option<Uuid>,
    },
}

impl Task {
    /// Their kinds, as a queue knows them.
    pub const KINDS: &'static [&'static str] = &["develop", "erase", "erase_picture", "notify"];

    /// That everybody is told whom `cause` concerns.
    pub fn tell(cause: Cause) -> Self {
        Self::Notify { cause, after: None }
    }

    /// The task of a job. `None`: it is of a newer binary.
    pub fn read(kind: &str, payload: &Value) -> Option<Self> {
        serde_json::from_value(serde_json::json!({ "kind": kind, "of": payload })).ok()
    }

    /// Leaves it behind; it is done soon after the transaction commits.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn leave(&self, connection: &mut Connection) -> Result<(), Error> {
        let (kind, payload) = self.written();
        jobs::add(connection, &kind, &payload).await?;
        Ok(())
    }

    /// As [`Task::leave`]; it is done after `delay`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn leave_for_later(&self, connection: &mut Connection, delay: Duration) -> Result<(), Error> {
        let (kind, payload) = self.written();
        Ok(jobs::add_later(connection, &kind, &payload, delay).await?)
    }

    /// Leaves many behind, by one statement.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`].
    pub async fn leave_all(tasks: &[Self], connection: &mut Connection) -> Result<(), DatabaseError> {
        let (kinds, payloads): (Vec<_>, Vec<_>) = tasks.iter().map(Self::written).unzip();
        if kinds.is_empty() { Ok(()) } else { jobs::add_all(connection, &kinds, &payloads).await }
    }

    /// As a queue keeps it: what it is made of can be written.
    fn written(&self) -> (String, Value) {
        let mut written = serde_json::to_value(self).unwrap_or_default();
        let kind = written.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let payload = written.get_mut("of").map(Value::take).unwrap_or_default();
        (kind, payload)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::picture::Subject;

    #[test]
    fn a_task_is_read_as_it_was_left() {
        let media = Uuid::from_u128(1);
        let payload = json!({ "media": media });
        assert_eq!(Task::read("develop", &payload), Some(Task::Develop { media }));
        assert_eq!(Task::read("erase", &payload), None, "the party is missing");
        assert_eq!(Task::read("dance", &payload), None);
        let told = Task::tell(Cause::Like { media, person: media });
        let picture = |subject| Task::ErasePicture { picture: Picture { subject, id: media } };
        let pictures = [Subject::User(media), Subject::Party(media)].map(picture);
        for task in
            [Task::Develop { media }, Task::Erase { party: media, media }, told].into_iter().chain(pictures)
        {
            let written = serde_json::to_value(task).unwrap();
            let kind = written["kind"].as_str().unwrap();
            assert!(Task::KINDS.contains(&kind));
            assert_eq!(Task::read(kind, &written["of"]), Some(task));
            let (kind, payload) = task.written();
            assert_eq!(Task::read(&kind, &payload), Some(task));
        }
    }
}
