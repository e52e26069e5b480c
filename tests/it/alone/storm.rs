//! Two pods while Redis, PostgreSQL, a pod and the hub die in turn: screens on both see everything, in order and once.
//!
//! One pod is a process of its own, to be killed as only a process can be; the other is in this one, whose actors can be
//! made to panic.

use std::{cell::Cell, time::Duration};

use futures_util::future::join_all;
use party_gallery::app::Exit;
use tokio::time::sleep;

use crate::support::{
    DEADLINE,
    app::{TestApp, Victim},
    crowd::{Follower, Gathering, PATIENCE, Pods},
    house::{House, UNHURRIED},
    poll::eventually,
    stage::{Somebody, Stage},
};

const SCREENS: usize = 8;
const TALKERS: usize = 3;
const BRINGERS: usize = 2;
/// From one message or photo of somebody to their next.
const PACE: Duration = Duration::from_millis(100);
/// How long something is away: longer than what is done within a second.
const AWAY: Duration = Duration::from_millis(1_200);

/// What goes on, and until when.
struct Night<'a> {
    party: Gathering<'a>,
    pods: &'a Pods,
    is_over: Cell<bool>,
    /// Everybody has had their last word acknowledged.
    is_silent: Cell<bool>,
}

impl Night<'_> {
    /// Says one thing after the other until the party is over.
    async fn talk(&self, who: &Somebody, name: usize) {
        for number in 1.. {
            if self.is_over.get() {
                return;
            }
            self.party.say(who, name, number).await;
            sleep(PACE).await;
        }
    }

    /// Brings one photo after the other until the party is over.
    async fn bring(&self, who: &Somebody) {
        for number in 1.. {
            if self.is_over.get() {
                return;
            }
            self.party.bring(who, number).await;
            sleep(3 * PACE).await;
        }
    }

    /// So much more is acknowledged.
    async fn goes_on(&self) {
        let enough = self.party.said() + 2 * TALKERS;
        eventually(PATIENCE, "the talk goes on", async || self.party.said() >= enough).await;
    }
}

/// What dies, one after the other, while the party goes on.
async fn storm(party: &Night<'_>, stage: &Stage, house: &mut House, mut there: TestApp) {
    let (here, address) = house.pod(&[]).await;
    party.pods.set(0, Some(address));
    party.goes_on().await;

    house.redis.kill9();
    sleep(AWAY).await;
    party.goes_on().await;
    there.panic(Victim::Hub).await;
    party.goes_on().await;
    house.redis.start_again().await;
    party.goes_on().await;

    house.postgres.kill9();
    sleep(AWAY).await;
    there.panic(Victim::Database).await;
    house.postgres.start_again().await;
    party.goes_on().await;

    here.signal("KILL");
    drop(here);
    // Clients still go there for a while
    sleep(AWAY / 4).await;
    party.pods.set(0, None);
    there.panic(Victim::Hub).await;
    party.goes_on().await;
    let (_here, address) = house.pod(&[]).await;
    party.pods.set(0, Some(address));
    party.goes_on().await;

    house.postgres.freeze();
    sleep(AWAY).await;
    house.postgres.thaw();
    party.goes_on().await;
    party.pods.all_are_well().await;

    // And one goes in peace
    party.pods.set(1, None);
    assert_eq!(there.stop().await, Exit::Clean);
    party.goes_on().await;
    party.is_over.set(true);

    eventually(PATIENCE, "everything that was said and brought is done", async || {
        party.is_silent.get() && stage.jobs().await == 0
    })
    .await;
    party.party.end(stage).await;
    // The pod outlives those who follow
    eventually(PATIENCE, "all have everything", async || party.pods.get(0).is_none()).await;
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_missed_whatever_dies() {
    let mut house = House::start().await;
    let stage = house.stage();
    let storage = house.storage_url();
    let variables = [&UNHURRIED[..], &[("STORAGE_URL", storage.as_str())]].concat();
    let there = stage.pod_with(house.redis.url(), &variables).await;
    eventually(DEADLINE, "it is ready", async || there.get("/health/ready").await.0 == 200).await;
    let id = stage.party(&stage.user().await, "LIVE", true).await;
    let (talkers, bringers) = (stage.guests(id, TALKERS).await, stage.guests(id, BRINGERS).await);
    let watchers = stage.guests(id, SCREENS).await.into_iter().enumerate();
    let mut screens: Vec<_> = watchers.map(|(preferred, who)| Follower::new(who, preferred)).collect();
    let pods = Pods::unknown(2);
    pods.set(1, Some(there.address()));
    let party = Night {
        party: Gathering::new(id, &pods),
        pods: &pods,
        is_over: Cell::new(false),
        is_silent: Cell::new(false),
    };

    let life = async {
        let talk = join_all(talkers.iter().enumerate().map(|(name, who)| party.talk(who, name)));
        let bring = join_all(bringers.iter().map(|who| party.bring(who)));
        let words = async {
            tokio::join!(talk, bring);
            party.is_silent.set(true);
        };
        let follow = join_all(screens.iter_mut().map(|screen| screen.follow(&party.party)));
        tokio::join!(words, follow);
        pods.set(0, None);
    };
    tokio::join!(storm(&party, &stage, &mut house, there), life);

    // What was acknowledged is in the log, and every screen has seen the log
    let events = party.party.is_in_the_log(&stage).await;
    for screen in &screens {
        assert_eq!(screen.seen, events, "{:?}", screen.goodbyes);
        assert!(!screen.goodbyes.is_empty(), "each lost its pod at least once");
    }
}
