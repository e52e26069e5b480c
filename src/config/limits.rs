//! How much and how often: `RATE_…` and `QUOTA_…`, with the defaults of the REST contract.

use std::num::NonZeroU32;

use super::problem::Expected;
use super::rate::Rate;
use super::reader::Reader;
use super::size;
use super::variables as v;

/// How often callers may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Unknown access codes, per address and per caller.
    pub unknown_codes: Rate,
    /// Joins that succeed or find a party full, per address.
    pub joins: Rate,
    /// Failed logins, per account.
    pub failed_logins: Rate,
    /// Failed logins, per address.
    pub failed_logins_by_address: Rate,
    /// New accounts, per address.
    pub registrations: Rate,
    /// Refreshed tokens, per caller.
    pub refreshes: Rate,
    /// Chat messages, per caller.
    pub chat: Rate,
    /// Uploads, per caller.
    pub uploads: Rate,
    /// Everything else, per caller.
    pub requests: Rate,
    /// Everything else, per address: a whole party shares one.
    pub requests_by_address: Rate,
}

/// How much people and parties may keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Media of one person in one party.
    pub person_media: NonZeroU32,
    /// Bytes of one person in one party.
    pub person_bytes: u64,
    /// Bytes of one party.
    pub party_bytes: u64,
    /// Open uploads of one person.
    pub open_uploads: NonZeroU32,
    /// Archives of one person at a time.
    pub archives: NonZeroU32,
}

impl Rates {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut rate = |variable| reader.value(variable, str::parse);
        let unknown_codes = rate(&v::RATE_UNKNOWN_CODES);
        let joins = rate(&v::RATE_JOINS);
        let failed_logins = rate(&v::RATE_FAILED_LOGINS);
        let failed_logins_by_address = rate(&v::RATE_FAILED_LOGINS_BY_ADDRESS);
        let registrations = rate(&v::RATE_REGISTRATIONS);
        let refreshes = rate(&v::RATE_REFRESHES);
        let chat = rate(&v::RATE_CHAT);
        let uploads = rate(&v::RATE_UPLOADS);
        let requests = rate(&v::RATE_REQUESTS);
        let requests_by_address = rate(&v::RATE_REQUESTS_BY_ADDRESS);
        Some(Self {
            unknown_codes: unknown_codes?,
            joins: joins?,
            failed_logins: failed_logins?,
            failed_logins_by_address: failed_logins_by_address?,
            registrations: registrations?,
            refreshes: refreshes?,
            chat: chat?,
            uploads: uploads?,
            requests: requests?,
            requests_by_address: requests_by_address?,
        })
    }
}

impl Quotas {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let person_media = reader.value(&v::QUOTA_PERSON_MEDIA, count);
        let person_bytes = reader.value(&v::QUOTA_PERSON_BYTES, size::bytes);
        let party_bytes = reader.value(&v::QUOTA_PARTY_BYTES, size::bytes);
        let open_uploads = reader.value(&v::QUOTA_OPEN_UPLOADS, count);
        let archives = reader.value(&v::QUOTA_ARCHIVES, count);
        Some(Self {
            person_media: person_media?,
            person_bytes: person_bytes?,
            party_bytes: party_bytes?,
            open_uploads: open_uploads?,
            archives: archives?,
        })
    }
}

fn count(text: &str) -> Result<NonZeroU32, Expected> {
    text.parse().ok().ok_or(Expected::new("a whole number from 1"))
}
