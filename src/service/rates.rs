//! How often who may do what.
//!
//! *Invariant:* what is kept of a subject names nobody: ids, networks, and hashes of addresses.

use std::{fmt, net::IpAddr, time::Duration};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::Error;
use crate::{
    cache::{Bucket, Buckets},
    config::{self, Rate},
    domain::rate::{Level, Limit, Verb},
};

/// A limit as clients are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What it limits.
    pub name: &'static str,
    /// How many in every window.
    pub count: u32,
    /// The window.
    pub window: Duration,
}

/// One limit for one subject: to be taken, looked at or counted.
#[derive(Clone, Debug)]
pub struct Measure {
    policy: Policy,
    bucket: Bucket,
}

/// How far a subject has used a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which limit.
    pub policy: Policy,
    /// How many are left.
    pub left: u32,
    /// How long until all are there again.
    pub full_in: Duration,
}

/// The limits of the contract. What may be done is taken. Of what only counts when it turns out one way, the limit is looked
/// at before and counted after; where many at once must not get past it, it is taken before and put back after.
#[derive(Clone)]
pub struct Rates {
    buckets: Buckets,
    rates: config::Rates,
}

impl Rates {
    /// With these rates.
    pub fn new(buckets: Buckets, rates: config::Rates) -> Self {
        Self { buckets, rates }
    }

    /// Takes one of each, or none.
    ///
    /// # Errors
    ///
    /// [`Error::TooOften`].
    pub async fn take(&self, measures: &[Measure]) -> Result<(), Error> {
        self.judge(Verb::Take, measures).await.map(drop)
    }

    /// Whether there is one of each left; none is taken.
    ///
    /// # Errors
    ///
    /// [`Error::TooOften`].
    pub async fn look(&self, measures: &[Measure]) -> Result<(), Error> {
        self.judge(Verb::Look, measures).await.map(drop)
    }

    /// Takes one of each that is left, for what has been done.
    pub async fn count(&self, measures: &[Measure]) {
        // What is done cannot be refused any more
        _ = self.judge(Verb::Count, measures).await;
    }

    /// Puts one of each back, for what was taken and does not count.
    pub async fn refund(&self, measures: &[Measure]) {
        _ = self.judge(Verb::Refund, measures).await;
    }

    /// Takes what every request takes, of `caller`'s, if it has one, and of the address's; gives what is left of them.
    ///
    /// # Errors
    ///
    /// [`Error::TooOften`].
    pub async fn request(&self, caller: Option<Uuid>, address: IpAddr) -> Result<Vec<Standing>, Error> {
        let rates = &self.rates;
        let by_address = measure("address", rates.requests_by_address, network(address));
        let by_caller = caller.map(|caller| measure("requests", rates.requests, caller));
        let measures: Vec<_> = by_caller.into_iter().chain([by_address]).collect();
        let buckets: Vec<_> = measures.iter().map(|measure| measure.bucket.clone()).collect();
        told(Verb::Take, &measures, self.buckets.draw(&buckets).await)
    }

    /// Tells other pods what requests have taken here that they were not told of yet.
    pub async fn settle(&self) {
        self.buckets.settle().await;
    }

    /// Unknown access codes that came from there, and from that caller; each is counted when it turns out unknown.
    pub fn unknown_codes(&self, caller: Option<Uuid>, address: IpAddr) -> Vec<Measure> {
        let rate = self.rates.unknown_codes;
        let by_address = measure("unknown-codes-address", rate, network(address));
        let by_caller = caller.map(|caller| measure("unknown-codes", rate, caller));
        by_caller.into_iter().chain([by_address]).collect()
    }

    /// Joins from there that succeed or find a party full; each is counted when it turns out as one.
    pub fn joins(&self, address: IpAddr) -> Measure {
        measure("joins", self.rates.joins, network(address))
    }

    /// Logins that fail, of that account and from there; each is taken for failed until it has not.
    pub fn failed_logins(&self, email: &str, address: IpAddr) -> [Measure; 2] {
        let digest = Sha256::digest(email.to_ascii_lowercase());
        let account: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        [
            measure("failed-logins", self.rates.failed_logins, account),
            measure("failed-logins-address", self.rates.failed_logins_by_address, network(address)),
        ]
    }

    /// New accounts from there.
    pub fn registrations(&self, address: IpAddr) -> Measure {
        measure("registrations", self.rates.registrations, network(address))
    }

    /// Refreshed tokens of that person.
    pub fn refreshes(&self, person: Uuid) -> Measure {
        measure("refreshes", self.rates.refreshes, person)
    }

    /// Chat messages of that person.
    pub fn chat(&self, person: Uuid) -> Measure {
        measure("chat", self.rates.chat, person)
    }

    /// Uploads of that person.
    pub fn uploads(&self, person: Uuid) -> Measure {
        measure("uploads", self.rates.uploads, person)
    }

    async fn judge(&self, verb: Verb, measures: &[Measure]) -> Result<Vec<Standing>, Error> {
        let buckets: Vec<_> = measures.iter().map(|measure| measure.bucket.clone()).collect();
        told(verb, measures, self.buckets.apply(verb, &buckets).await)
    }
}

/// What a caller is told of measures whose buckets were at these levels.
fn told(verb: Verb, measures: &[Measure], levels: Vec<Level>) -> Result<Vec<Standing>, Error> {
    let retry_after = levels.iter().map(|level| level.wait).max().unwrap_or_default();
    let has_room = retry_after.is_zero();
    let takes = verb == Verb::Take && has_room;
    let standings = measures.iter().zip(levels).map(|(measure, level)| measure.standing(level, takes));
    let standings = standings.collect();
    if has_room { Ok(standings) } else { Err(Error::TooOften { retry_after, standings }) }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rates").field("rates", &self.rates).finish_non_exhaustive()
    }
}

impl Measure {
    /// As it stands after its bucket was at `level`, and one was taken or not.
    fn standing(&self, level: Level, taken: bool) -> Standing {
        let taken = u32::from(taken);
        let full_in = level.full_in + Duration::from_micros(self.bucket.limit.interval()) * taken;
        Standing { policy: self.policy, left: level.left - taken.min(level.left), full_in }
    }
}

fn measure(name: &'static str, rate: Rate, subject: impl fmt::Display) -> Measure {
    let Rate { count, period, burst } = rate;
    Measure {
        policy: Policy { name, count: count.get(), window: period },
        bucket: Bucket { name: format!("{name}:{subject}"), limit: Limit::new(count, period, burst) },
    }
}

/// Whom an address stands for. Of IPv6 a household has 2^64 to choose from.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_its_household() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected.parse::<IpAddr>().unwrap(), "{address}");
        }
    }
}
