//! What a person says of a media with one tap.

/// A mark that a person sets on a media, or takes off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// They like it: counted, and told to who brought it.
    Like,
    /// They want to find it again: nobody else's business.
    Favorite,
}

/// The marks of one person on one media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Whether they like it.
    pub is_liked: bool,
    /// Whether it is one of their favourites.
    pub is_favorite: bool,
}
