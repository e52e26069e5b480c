//! All pods are replaced, one after the other, while parties go on: every socket is told, comes back elsewhere when it is
//! told to, and misses nothing.

use std::{cell::Cell, collections::BTreeSet, time::Duration};

use futures_util::future::join_all;

use crate::support::{
    DEADLINE, client,
    crowd::{Follower, Gathering, PATIENCE, Pods, paced},
    house::House,
    poll::eventually,
    process::Process,
};

const PODS: usize = 3;
const PARTIES: usize = 4;
/// Of each party, spread over the pods.
const SCREENS: usize = 30;
const TALKERS: usize = 2;
const PACE: Duration = Duration::from_millis(100);
/// A pod that is to go says so for this long before it goes.
const NOTICE: [(&str, &str); 1] = [("DRAIN_DELAY", "1s")];
/// What a draining pod may ask for at most.
const RETURN_WITHIN: Duration = Duration::from_secs(5);

/// Replaces each pod by a new one.
async fn roll(house: &House, pods: &Pods, running: &mut [Process], said: impl Fn() -> usize) {
    for (nth, pod) in running.iter_mut().enumerate() {
        let enough = said() + 8 * TALKERS;
        eventually(PATIENCE, "the talk goes on", async || said() >= enough).await;
        pod.signal("TERM");
        // As a balancer does it: until then it is sent more
        let ready = format!("http://{}/health/ready", pods.get(nth).unwrap());
        eventually(DEADLINE, "it is not ready", async || {
            client::get(&ready).await.is_ok_and(|reply| reply.status() == 503)
        })
        .await;
        pods.set(nth, None);
        assert_eq!(pod.ended(PATIENCE).await, Some(0));
        let (new, address) = house.pod(&NOTICE).await;
        *pod = new;
        pods.set(nth, Some(address));
    }
}

#[tokio::test]
async fn pods_that_are_replaced_under_load_send_their_screens_on_and_nobody_misses_anything() {
    let house = House::start().await;
    let (pods, mut running) = (Pods::unknown(PODS), Vec::new());
    for nth in 0..PODS {
        let (pod, address) = house.pod(&NOTICE).await;
        pods.set(nth, Some(address));
        running.push(pod);
    }
    let stage = house.stage();
    let (mut parties, mut talkers, mut screens) = (vec![], vec![], vec![]);
    for _ in 0..PARTIES {
        let id = stage.party(&stage.user().await, "LIVE", true).await;
        talkers.push(stage.guests(id, TALKERS).await);
        let watchers = stage.guests(id, SCREENS).await.into_iter().enumerate();
        screens.push(watchers.map(|(nth, who)| Follower::new(who, nth % PODS)).collect::<Vec<_>>());
        parties.push(Gathering::new(id, &pods));
    }

    let is_over = Cell::new(false);
    let talk = async |party: &Gathering<'_>, who, name| {
        let (mut pace, mut number) = (paced(PACE), 0);
        while !is_over.get() {
            pace.tick().await;
            party.say(who, name, number).await;
            number += 1;
        }
    };
    let words = async {
        join_all(parties.iter().zip(&talkers).flat_map(|(party, talkers)| {
            talkers.iter().enumerate().map(move |(name, who)| talk(party, who, name))
        }))
        .await;
        for party in &parties {
            party.end(&stage).await;
        }
    };
    let follow = join_all(
        parties
            .iter()
            .zip(&mut screens)
            .flat_map(|(party, screens)| screens.iter_mut().map(move |screen| screen.follow(party))),
    );
    let roll = async {
        roll(&house, &pods, &mut running, || parties.iter().map(Gathering::said).sum()).await;
        is_over.set(true);
    };
    tokio::join!(roll, words, follow);

    for (party, screens) in parties.iter().zip(&screens) {
        let events = party.is_in_the_log(&stage).await;
        for screen in screens {
            assert_eq!(screen.seen, events);
            assert!(!screen.goodbyes.is_empty(), "no pod is there that was there");
            for (_pod, (told, code)) in &screen.goodbyes {
                assert_eq!(*code, 1012);
                assert!(told.is_some_and(|after| after <= RETURN_WITHIN), "{told:?}");
            }
        }
    }
    let told = screens.iter().flatten().flat_map(|screen| &screen.goodbyes);
    let told: BTreeSet<_> = told.map(|(_pod, (after, _code))| *after).collect();
    assert!(told.len() > SCREENS, "clients are told different times: {told:?}");
}
