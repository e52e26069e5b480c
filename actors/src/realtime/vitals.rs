//! What is due for a session: judged from outside, since a session whose client reads nothing does not run.

use std::time::Instant;

use super::{config::Config, protocol::Identity};

/// What the sweeper knows of a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vitals {
    pub(super) opened: Instant,
    pub(super) last_in: Instant,
    pub(super) last_out: Instant,
    pub(super) pinged: Option<Instant>,
    pub(super) identity: Option<Identity>,
    pub(super) warned: bool,
    /// When its turn comes on a draining pod.
    pub(super) drain_at: Option<Instant>,
    /// Whether its connection was cut: it will be gone in a moment.
    pub(super) is_cut: bool,
}

/// What is due for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Nothing.
    Rest,
    /// Its close was not taken in time.
    Cut,
    /// Its peer gives no sign of life.
    Bury,
    /// Its pod is going away.
    Drain,
    /// Nobody, or nobody any more, has said who it is.
    Refuse,
    /// Its identity expires soon.
    Warn,
    /// A sign of life is to be asked for.
    Ping,
}

impl Vitals {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            opened: now,
            last_in: now,
            last_out: now,
            pinged: None,
            identity: None,
            warned: false,
            drain_at: None,
            is_cut: false,
        }
    }

    /// Judges what is due `now`. `closing`: since when it is being closed; `ping_waits`: a ping is still in the outbox.
    pub(super) fn judge(
        &self,
        closing: Option<Instant>,
        ping_waits: bool,
        now: Instant,
        config: &Config,
    ) -> Duty {
        if self.is_cut {
            return Duty::Rest;
        }
        if let Some(since) = closing {
            let over = now >= since + config.close_within;
            return if over { Duty::Cut } else { Duty::Rest };
        }
        if self.drain_at.is_some_and(|at| now >= at) {
            return Duty::Drain;
        }
        if now >= self.identity.map_or(self.opened + config.authenticate_within, |known| known.expires_at) {
            return Duty::Refuse;
        }
        if self.is_silent(ping_waits, now, config) {
            return Duty::Bury;
        }
        let is_expiring = self.identity.is_some_and(|known| now + config.warn_before >= known.expires_at);
        if is_expiring && !self.warned {
            return Duty::Warn;
        }
        if now >= self.pinged.unwrap_or(self.opened) + config.ping_every {
            return Duty::Ping;
        }
        Duty::Rest
    }

    /// From when on a ping that goes out `now` waits for its answer. Suites count the milliseconds: a sweep that comes
    /// late by less than its rhythm does not make it later.
    pub(super) fn ping_at(&self, is_strict: bool, now: Instant, config: &Config) -> Instant {
        let due = self.pinged.unwrap_or(self.opened) + config.ping_every;
        if is_strict && now < due + config.sweep_every { due } else { now }
    }

    /// Whether a ping has had no answer, be it any byte at all, for too long. While the ping still waits behind what
    /// the socket takes slowly, a byte that goes out is a sign of life too.
    fn is_silent(&self, ping_waits: bool, now: Instant, config: &Config) -> bool {
        self.pinged.is_some_and(|pinged| {
            let asked = if ping_waits { pinged.max(self.last_out) } else { pinged };
            self.last_in < pinged && now >= asked + config.answer_within
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::realtime::Subject;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// What is due `at` seconds after the opening, given changes to a session that was identified for an hour.
    fn due(at: u64, closing: Option<u64>, ping_waits: bool, change: impl Fn(&mut Vitals, Instant)) -> Duty {
        let start = Instant::now();
        let identity =
            Identity { subject: Subject { kind: 0, id: 1 }, grant: None, expires_at: start + seconds(3600) };
        let mut vitals = Vitals { identity: Some(identity), ..Vitals::new(start) };
        change(&mut vitals, start);
        let closing = closing.map(|since| start + seconds(since));
        vitals.judge(closing, ping_waits, start + seconds(at), &Config::default())
    }

    #[test]
    fn an_unauthenticated_session_has_five_seconds() {
        let nobody = |vitals: &mut Vitals, _| vitals.identity = None;
        assert_eq!(due(4, None, false, nobody), Duty::Rest);
        assert_eq!(due(5, None, false, nobody), Duty::Refuse);
    }

    #[test]
    fn an_identity_is_warned_of_once_and_then_expires() {
        let until_100 = |warned| {
            move |vitals: &mut Vitals, start: Instant| {
                vitals.pinged = Some(start + seconds(39));
                vitals.last_in = start + seconds(90);
                vitals.warned = warned;
                vitals.identity =
                    vitals.identity.map(|known| Identity { expires_at: start + seconds(100), ..known });
            }
        };
        assert_eq!(due(39, None, false, until_100(false)), Duty::Rest);
        assert_eq!(due(40, None, false, until_100(false)), Duty::Warn);
        assert_eq!(due(41, None, false, until_100(true)), Duty::Rest);
        assert_eq!(due(100, None, false, until_100(true)), Duty::Refuse);
    }

    #[test]
    fn a_ping_is_due_every_25_s_and_an_answer_within_20_s() {
        let pinged = |answered: u64| {
            move |vitals: &mut Vitals, start: Instant| {
                vitals.pinged = Some(start + seconds(25));
                vitals.last_in = start + seconds(answered);
                vitals.last_out = start + seconds(40);
            }
        };
        assert_eq!(due(24, None, false, |_, _| ()), Duty::Rest);
        assert_eq!(due(25, None, false, |_, _| ()), Duty::Ping);
        assert_eq!(due(44, None, false, pinged(24)), Duty::Rest);
        assert_eq!(due(45, None, false, pinged(24)), Duty::Bury);
        assert_eq!(due(45, None, false, pinged(26)), Duty::Rest);
        assert_eq!(due(50, None, false, pinged(26)), Duty::Ping);
        // The ping waits behind what the client takes slowly
        assert_eq!(due(49, None, true, pinged(24)), Duty::Rest);
        assert_eq!(due(60, None, true, pinged(24)), Duty::Bury);
    }

    #[test]
    fn who_is_being_closed_is_only_cut_and_only_once() {
        let overdue = |vitals: &mut Vitals, start| {
            vitals.identity = None;
            vitals.drain_at = Some(start);
        };
        assert_eq!(due(30, None, false, overdue), Duty::Drain);
        assert_eq!(due(31, Some(30), false, overdue), Duty::Rest);
        assert_eq!(due(32, Some(30), false, overdue), Duty::Cut);
        assert_eq!(due(33, Some(30), false, |vitals, _| vitals.is_cut = true), Duty::Rest);
    }
}
