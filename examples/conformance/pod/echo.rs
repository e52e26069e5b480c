//! Says everything back as it came: on a bare WebSocket, and as Engine.IO frames it.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use party_gallery_actors::realtime::{
    Action, Frame, Identity, Notices, Opening, Protocol, Received, Subject, engine::message,
};

/// Suites know none of the service's words.
pub(super) struct Silence;

impl Notices for Silence {
    fn expiring(&self) -> Option<Frame> {
        None
    }

    fn draining(&self, _: Duration) -> Option<Frame> {
        None
    }
}

/// Somebody new, who may stay: nobody has to say who they are.
pub(super) fn somebody(now: Instant) -> Identity {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    static LAST: AtomicU64 = AtomicU64::new(0);
    let id = LAST.fetch_add(1, Ordering::Relaxed);
    Identity { subject: Subject { kind: 0, id: id.into() }, grant: None, expires_at: now + YEAR }
}

/// How a text is framed.
#[derive(Clone, Copy)]
pub(super) enum Echo {
    Plain,
    Engine,
}

impl Echo {
    pub(super) fn open(self, address: IpAddr) -> Opening {
        let identity = Some(somebody(Instant::now()));
        Opening { protocol: Box::new(self), notices: Arc::new(Silence), address, identity }
    }
}

impl Protocol for Echo {
    fn on_received(&mut self, received: Received, _: Instant) -> Vec<Action> {
        let frame = match (received, self) {
            (Received::Text(text), Self::Plain) => Frame::text(String::from_utf8_lossy(&text)),
            (Received::Text(text), Self::Engine) => message(&String::from_utf8_lossy(&text)),
            (Received::Binary(bytes), _) => Frame::binary(bytes),
            (Received::Other, _) => return Vec::new(),
        };
        vec![Action::Send(frame)]
    }

    fn on_crowded(&mut self, received: Received, now: Instant) -> Vec<Action> {
        self.on_received(received, now)
    }
}
