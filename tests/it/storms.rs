//! The realtime contract at its full figures: three pods in processes of their own, 200 screens, 10,000 events, while
//! Redis, a pod, hubs and the line to the broker die in turn.

use std::{
    env,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::support::{
    crowd::{Follower, Gathering, PATIENCE, Pods, paced},
    fragile::{self, VARIABLES},
    house::House,
    poll::eventually,
    process::Process,
};

const PODS: usize = 3;
const PARTIES: usize = 20;
/// Of each party, spread over the pods.
const SCREENS: usize = 10;
const TALKERS: usize = 4;
/// Of each talker. With two events for each photo of the one who brings them it makes 500 events a party.
const MESSAGES: usize = 118;
const PHOTOS: usize = 14;
const EVENTS: usize = PARTIES * (TALKERS * MESSAGES + 2 * PHOTOS);
/// From one message of somebody to their next: 200 messages a second in all.
const PACE: Duration = Duration::from_millis(400);
const PHOTO_PACE: Duration = Duration::from_millis(3_200);
/// How long something is away: longer than what is done within a second.
const AWAY: Duration = Duration::from_millis(1_500);
/// Which of the pods is killed, and which only has its hub hurt.
const KILLED: usize = 0;
const HURT: [usize; 2] = [1, 2];

/// What dies, one after the other, while the parties go on.
async fn storm(
    house: &mut House,
    pods: &Pods,
    mut running: Vec<Process>,
    test: &str,
    parties: &[Gathering<'_>],
) -> Vec<Process> {
    let said = || parties.iter().map(Gathering::said).sum::<usize>();
    // By what was said, so that it is spread over all of it on any machine
    let until = async |percent: usize| {
        let enough = PARTIES * TALKERS * MESSAGES * percent / 100;
        eventually(PATIENCE, "the talk goes on", async || said() >= enough).await;
    };
    until(10).await;
    house.redis.kill9();
    until(22).await;
    fragile::hurt(&running[HURT[0]]);
    until(28).await;
    house.redis.start_again().await;

    until(38).await;
    running[KILLED].signal("KILL");
    // Clients still go there for a while
    sleep(AWAY / 4).await;
    pods.set(KILLED, None);
    until(48).await;
    let (pod, address) = house.fragile_pod(test).await;
    running[KILLED] = pod;
    pods.set(KILLED, Some(address));

    until(55).await;
    for nth in HURT {
        fragile::hurt(&running[nth]);
    }
    for percent in [62, 66, 70] {
        until(percent).await;
        house.line().cut().await;
    }
    until(76).await;
    house.line().refuse().await;
    house.line().cut().await;
    sleep(AWAY).await;
    house.line().heal().await;
    until(84).await;
    house.line().freeze().await;
    sleep(AWAY).await;
    house.line().heal().await;
    fragile::hurt(&running[HURT[1]]);
    until(100).await;
    running
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "one test is four processes, and tells which by its environment"
)]
async fn of_10_000_events_200_screens_miss_none_whatever_dies() {
    if let Some(variables) = env::var_os(VARIABLES) {
        fragile::be(&variables).await;
    }
    let test = "storms::of_10_000_events_200_screens_miss_none_whatever_dies";
    let mut house = House::start().await;
    let (pods, mut running) = (Pods::unknown(PODS), Vec::new());
    for nth in 0..PODS {
        let (pod, address) = house.fragile_pod(test).await;
        pods.set(nth, Some(address));
        running.push(pod);
    }
    let stage = house.stage();
    let (mut parties, mut talkers, mut bringers, mut screens) = (vec![], vec![], vec![], vec![]);
    for _ in 0..PARTIES {
        let id = stage.party(&stage.user().await, "LIVE", true).await;
        talkers.push(stage.guests(id, TALKERS).await);
        bringers.push(stage.guest(id).await);
        let watchers = stage.guests(id, SCREENS).await.into_iter().enumerate();
        screens.push(watchers.map(|(nth, who)| Follower::new(who, nth % PODS)).collect::<Vec<_>>());
        parties.push(Gathering::new(id, &pods));
    }

    let killed = pods.get(KILLED).unwrap();
    let began = Instant::now();
    let talk = async |party: &Gathering<'_>, who, name| {
        let mut pace = paced(PACE);
        for number in 0..MESSAGES {
            pace.tick().await;
            party.say(who, name, number).await;
        }
    };
    let bring = async |party: &Gathering<'_>, who| {
        let mut pace = paced(PHOTO_PACE);
        for number in 0..PHOTOS {
            pace.tick().await;
            party.bring(who, number).await;
        }
    };
    let words = async {
        let talks = parties.iter().zip(&talkers).flat_map(|(party, talkers)| {
            talkers.iter().enumerate().map(move |(name, who)| talk(party, who, name))
        });
        let photos = parties.iter().zip(&bringers).map(|(party, who)| bring(party, who));
        tokio::join!(join_all(talks), join_all(photos));
        let spent = began.elapsed().as_secs_f64();
        println!("{EVENTS} events in {spent:.1} s");
        eventually(PATIENCE, "all photos are shown", async || stage.jobs().await == 0).await;
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
    let storm = storm(&mut house, &pods, running, test, &parties);
    let (running, (), _) = tokio::join!(storm, words, follow);
    println!("all have everything after {:.1} s", began.elapsed().as_secs_f64());
    pods.all_are_well().await;
    drop(running);

    let (mut logged, mut cut) = (0, 0);
    for (party, screens) in parties.iter().zip(&screens) {
        let events = party.is_in_the_log(&stage).await;
        logged += events.len();
        for screen in screens {
            assert_eq!(screen.seen, events);
            cut += screen.goodbyes.len();
            // Neither Redis nor a hub costs anybody their socket: only the pod that was killed did
            assert!(screen.goodbyes.iter().all(|(pod, _)| *pod == killed), "{:?}", screen.goodbyes);
        }
    }
    assert_eq!(logged, EVENTS);
    // About a third: who was refused at first may have begun elsewhere
    assert!(cut > PARTIES * SCREENS / 5, "{cut} were cut");
}
