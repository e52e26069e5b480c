//! The name of an object.

use std::fmt;
use std::path::PathBuf;

use uuid::Uuid;

/// Where originals are, below the store's directory.
pub(super) const ORIGINALS: &str = "originals";

/// Whose object it is, what it is to them, and which content.
///
/// *Invariant:* made of ids, numbers and hashes only, so that no key leads out of its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The party; of an avatar the user.
    pub owner: Uuid,
    /// What it is to them.
    pub role: Role,
    /// Which media or picture, or which bytes.
    pub name: Name,
}

/// What an object is to its owner: one of the files of a media, or the picture that stands for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// As it was uploaded, with all that it tells: never served, gone when the clean one is stored.
    Original,
    /// What is served at full size.
    File,
    /// What fills a screen.
    Preview,
    /// What fills a tile.
    Thumb,
    /// The face of a user.
    Avatar,
    /// The cover of a party.
    Cover,
}

/// What tells an object from its owner's others of its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// One of a media; each version is another object.
    Media {
        /// The media.
        id: Uuid,
        /// Which making of it.
        version: u32,
    },
    /// A picture, which never changes.
    Picture(Uuid),
    /// The SHA-256 of the bytes: the same bytes are one object.
    Content([u8; 32]),
}

impl Key {
    /// The shard that it lies in: the last byte of the id, which is random, or the first of the hash.
    pub(super) fn shard(&self) -> u8 {
        let byte = match &self.name {
            Name::Media { id, .. } | Name::Picture(id) => id.as_bytes().last().copied(),
            Name::Content(hash) => hash.first().copied(),
        };
        byte.unwrap_or_default()
    }

    /// Where it is below the store's directory. Originals go soon, and lie together so that those that stay are found.
    pub(super) fn path(&self) -> PathBuf {
        match self.role {
            Role::Original => [ORIGINALS, &self.to_string()].iter().collect(),
            Role::File | Role::Preview | Role::Thumb | Role::Avatar | Role::Cover => {
                ["objects", &format!("{:02x}", self.shard()), &self.to_string()].iter().collect()
            }
        }
    }

    /// The key of a media's original with that name, as [`Display`](fmt::Display) writes it.
    pub(super) fn of_original(name: &str) -> Option<Self> {
        let (owner, name) = name.split_once('.')?;
        let (role, name) = name.split_once('.')?;
        let (id, version) = name.split_once('.')?;
        let name = Name::Media { id: id.parse().ok()?, version: version.parse().ok()? };
        (role == "original").then_some(Self { owner: owner.parse().ok()?, role: Role::Original, name })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::Original => "original",
            Role::File => "file",
            Role::Preview => "preview",
            Role::Thumb => "thumb",
            Role::Avatar => "avatar",
            Role::Cover => "cover",
        };
        write!(out, "{}.{role}.", self.owner)?;
        match &self.name {
            Name::Media { id, version } => write!(out, "{id}.{version}"),
            Name::Picture(id) => write!(out, "{id}"),
            Name::Content(hash) => hash.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_a_shard_and_a_name() {
        let owner = Uuid::from_u128(0xa);
        let media = Name::Media { id: Uuid::from_u128(0x1ff), version: 7 };
        for (role, name, path) in [
            (
                Role::File,
                media,
                "objects/ff/00000000-0000-0000-0000-00000000000a.file.00000000-0000-0000-0000-0000000001ff.7",
            ),
            (
                Role::Cover,
                Name::Picture(Uuid::from_u128(0x1fe)),
                "objects/fe/00000000-0000-0000-0000-00000000000a.cover.00000000-0000-0000-0000-0000000001fe",
            ),
            (
                Role::Original,
                Name::Content([0x5a; 32]),
                "originals/00000000-0000-0000-0000-00000000000a.original.\
                 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
            ),
        ] {
            assert_eq!(Key { owner, role, name }.path().to_str(), Some(path));
        }
    }

    #[test]
    fn an_original_is_known_by_its_name() {
        let name = Name::Media { id: Uuid::from_u128(0x1ff), version: 7 };
        let key = |role, name| Key { owner: Uuid::from_u128(0xa), role, name };
        let original = key(Role::Original, name);
        assert_eq!(Key::of_original(&original.to_string()), Some(original));
        for other in [key(Role::File, name), key(Role::Original, Name::Content([0x5a; 32]))] {
            assert_eq!(Key::of_original(&other.to_string()), None);
        }
        assert_eq!(Key::of_original("notes.txt"), None);
    }

    proptest! {
        #[test]
        fn no_two_keys_share_a_path(ids in prop::array::uniform4(0_u128..3), versions in prop::array::uniform2(0_u32..3)) {
            let [one, other] = [0, 1].map(|i| Key {
                owner: Uuid::from_u128(ids[i]),
                role: Role::Thumb,
                name: Name::Media { id: Uuid::from_u128(ids[i + 2]), version: versions[i] },
            });
            prop_assert_eq!(one == other, one.path() == other.path());
        }
    }
}
