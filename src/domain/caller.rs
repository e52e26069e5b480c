//! Who asks.

use uuid::Uuid;

/// Who asks, as their token tells; nobody without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Nobody who says who they are.
    Anonymous,
    /// Somebody with an account.
    User(Uuid),
    /// Somebody who joined one party by its code.
    Guest(Uuid),
    /// A screen that shows one gallery.
    Display(Uuid),
}

impl Caller {
    /// The person that they are: a user or a guest.
    pub fn person(self) -> Option<Uuid> {
        match self {
            Self::User(id) | Self::Guest(id) => Some(id),
            Self::Anonymous | Self::Display(_) => None,
        }
    }

    /// What their token names: a person or a screen.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::User(id) | Self::Guest(id) | Self::Display(id) => Some(id),
            Self::Anonymous => None,
        }
    }

    /// Their account.
    pub fn user(self) -> Option<Uuid> {
        match self {
            Self::User(id) => Some(id),
            Self::Anonymous | Self::Guest(_) | Self::Display(_) => None,
        }
    }

    /// Whether a token names them.
    pub fn is_known(self) -> bool {
        self != Self::Anonymous
    }
}
