//! How a session shows its sign in a room, such as that its client types.

use std::fmt;

use super::{protocol::Action, topic::Topic};

/// How a session shows its sign to the others in a room, or no more. It ends by itself unless it is renewed.
pub struct Show {
    /// Where.
    pub topic: Topic,
    /// In which room.
    pub room: u8,
    /// Whether it is shown from now on.
    pub is_on: bool,
    /// Says what follows when that is done; `false`: the session is not in the room, with a face.
    pub answer: Box<dyn FnOnce(bool) -> Vec<Action> + Send>,
}

impl fmt::Debug for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Show")
            .field("topic", &self.topic)
            .field("room", &self.room)
            .field("is_on", &self.is_on)
            .finish_non_exhaustive()
    }
}
