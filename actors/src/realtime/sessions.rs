//! Who is in, and how many may be: the arithmetic behind the registry's lock.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use super::{
    config::Config,
    cut::Cut,
    entry::{Entry, SessionId},
    protocol::{Identity, Subject},
    subjects::Subjects,
};

/// Why no session is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The pod is going away.
    #[error("the pod is draining")]
    Draining,
    /// The pod has as many sessions as it takes.
    #[error("the pod takes no more sessions")]
    Full,
    /// The address has as many sessions as may be open before anybody says who they are.
    #[error("the address has too many unauthenticated sessions")]
    TooManyUnauthenticated,
}

/// Who is in.
pub(super) struct Sessions {
    pub(super) draining: bool,
    last_id: u64,
    entries: HashMap<SessionId, Arc<Entry>>,
    subjects: Arc<Subjects>,
    unauthenticated: HashMap<IpAddr, usize>,
    /// Connections whose session has ended and which are still open; since when they are being closed.
    ending: Vec<(Weak<Cut>, Instant)>,
}

impl Sessions {
    pub(super) fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            draining: false,
            last_id: 0,
            entries: HashMap::new(),
            subjects,
            unauthenticated: HashMap::new(),
            ending: Vec::new(),
        }
    }

    /// Whether one more may come from `address`; gives its number.
    pub(super) fn admit(
        &mut self,
        address: IpAddr,
        authenticated: bool,
        config: &Config,
    ) -> Result<SessionId, Refused> {
        if self.draining {
            return Err(Refused::Draining);
        }
        if self.entries.len() >= config.sessions {
            return Err(Refused::Full);
        }
        let unauthenticated = self.unauthenticated.get(&address).copied().unwrap_or_default();
        if !authenticated && unauthenticated >= config.unauthenticated_per_address {
            return Err(Refused::TooManyUnauthenticated);
        }
        self.last_id += 1;
        Ok(SessionId(self.last_id))
    }

    /// Takes in a session that nobody has identified yet.
    pub(super) fn enter(&mut self, entry: &Arc<Entry>) {
        *self.unauthenticated.entry(entry.address).or_default() += 1;
        self.entries.insert(entry.id, Arc::clone(entry));
    }

    /// Gives a session to its subject, anew or again; `false` when that has too many.
    pub(super) fn identify(&mut self, entry: &Arc<Entry>, identity: Identity, config: &Config) -> bool {
        let mut vitals = entry.vitals.lock();
        let before = vitals.identity.map(|known| known.subject);
        if before != Some(identity.subject) {
            if !self.subjects.enter(identity.subject, entry, config.sessions_per_subject) {
                return false;
            }
            self.release(before, entry);
        }
        vitals.identity = Some(identity);
        vitals.warned = false;
        true
    }

    /// Lets a session go; its connection is watched until it is closed.
    pub(super) fn leave(&mut self, entry: &Entry, now: Instant) {
        if self.entries.remove(&entry.id).is_some() {
            let vitals = *entry.vitals.lock();
            self.release(vitals.identity.map(|known| known.subject), entry);
            if !vitals.is_cut {
                self.ending.push((Weak::clone(&entry.cut.lock()), entry.outbox.closing().unwrap_or(now)));
            }
        }
    }

    fn release(&mut self, subject: Option<Subject>, entry: &Entry) {
        if let Some(subject) = subject {
            return self.subjects.leave(subject, entry.id);
        }
        if let Some(count) = self.unauthenticated.get_mut(&entry.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.unauthenticated.remove(&entry.address);
            }
        }
    }

    /// The connections that should have been closed by `now`.
    pub(super) fn take_overdue(&mut self, now: Instant, close_within: Duration) -> Vec<Arc<Cut>> {
        let mut overdue = Vec::new();
        self.ending.retain(|(cut, since)| match cut.upgrade() {
            None => false,
            Some(_) if now < *since + close_within => true,
            Some(cut) => {
                overdue.push(cut);
                false
            }
        });
        overdue
    }

    pub(super) fn entries(&self) -> Vec<Arc<Entry>> {
        self.entries.values().map(Arc::clone).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
