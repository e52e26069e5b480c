//! When a media is hidden because people reported it.

/// How many voices of one kind hide a media.
const VOICES: i64 = 3;

/// Minutes that a guest has to have been in the party before their voice counts: who joins to report is no voice.
pub const GUEST_MINUTES: i32 = 10;

/// Who has reported a media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accounts.
    pub accounts: i64,
    /// Addresses from which guests joined whose voice counts: all of one address are one voice.
    pub addresses: i64,
}

impl Tally {
    /// Whether they are enough. Each kind counts for itself.
    pub fn hides(self) -> bool {
        self.accounts >= VOICES || self.addresses >= VOICES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_a_kind_hide_a_media() {
        for (accounts, addresses, hides) in
            [(0, 0, false), (2, 2, false), (3, 0, true), (0, 3, true), (2, 3, true), (9, 9, true)]
        {
            assert_eq!(Tally { accounts, addresses }.hides(), hides, "{accounts} {addresses}");
        }
    }
}
