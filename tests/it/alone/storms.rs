//! The realtime contract at its full figures: three pods in processes of their own, 200 screens, 10,000 events, while
//! Redis, a pod, hubs and the line to the broker die in turn; the same on a Redis Cluster whose nodes die.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::support::{
    cluster::Cluster,
    crowd::{Follower, Gathering, PATIENCE, Pods, paced},
    fragile::{self, VARIABLES, Variables},
    house::House,
    poll::eventually,
    process::Process,
    stage::{Somebody, Stage},
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

/// Three pods, and the parties that go on at them.
struct Night<'a> {
    /// The test whose executable the pods are.
    test: &'static str,
    /// What they are started with.
    variables: Variables,
    stage: Stage,
    pods: &'a Pods,
    running: RefCell<BTreeMap<usize, Process>>,
    parties: Vec<Gathering<'a>>,
    talkers: Vec<Vec<Somebody>>,
    bringers: Vec<Somebody>,
}

impl<'a> Night<'a> {
    async fn begin(
        house: &House,
        redis: &str,
        test: &'static str,
        pods: &'a Pods,
    ) -> (Self, Vec<Vec<Follower>>) {
        let mut night = Self {
            test,
            variables: house.variables(redis),
            stage: house.stage(),
            pods,
            running: RefCell::default(),
            parties: Vec::new(),
            talkers: Vec::new(),
            bringers: Vec::new(),
        };
        for nth in 0..PODS {
            night.start(nth).await;
        }
        let (stage, mut screens) = (&night.stage, Vec::new());
        for _ in 0..PARTIES {
            let id = stage.party(&stage.user().await, "LIVE", true).await;
            night.talkers.push(stage.guests(id, TALKERS).await);
            night.bringers.push(stage.guest(id).await);
            let watchers = stage.guests(id, SCREENS).await.into_iter().enumerate();
            screens.push(watchers.map(|(nth, who)| Follower::new(who, nth % PODS)).collect());
            night.parties.push(Gathering::new(id, pods));
        }
        (night, screens)
    }

    async fn start(&self, nth: usize) {
        let (pod, address) = fragile::ready(self.test, &self.variables).await;
        self.pods.set(nth, Some(address));
        self.running.borrow_mut().insert(nth, pod);
    }

    /// Until so much was said: what dies is spread over all of it on any machine.
    async fn until(&self, percent: usize) {
        let enough = PARTIES * TALKERS * MESSAGES * percent / 100;
        let said = || self.parties.iter().map(Gathering::said).sum::<usize>();
        eventually(PATIENCE, "the talk goes on", async || said() >= enough).await;
    }

    fn hurt(&self, nth: usize) {
        fragile::hurt(&self.running.borrow()[&nth]);
    }

    /// A pod dies, and is known to be gone a little later.
    async fn kill(&self, nth: usize) {
        self.running.borrow()[&nth].signal("KILL");
        // Clients still go there for a while
        sleep(AWAY / 4).await;
        self.pods.set(nth, None);
    }

    async fn talk(&self, party: &Gathering<'_>, who: &Somebody, name: usize) {
        let mut pace = paced(PACE);
        for number in 0..MESSAGES {
            pace.tick().await;
            party.say(who, name, number).await;
        }
    }

    async fn bring(&self, party: &Gathering<'_>, who: &Somebody) {
        let mut pace = paced(PHOTO_PACE);
        for number in 0..PHOTOS {
            pace.tick().await;
            party.bring(who, number).await;
        }
    }

    /// All that is said and brought, until all photos are shown.
    async fn words(&self) {
        let talks = self.parties.iter().zip(&self.talkers).flat_map(|(party, talkers)| {
            talkers.iter().enumerate().map(move |(name, who)| self.talk(party, who, name))
        });
        let photos = self.parties.iter().zip(&self.bringers).map(|(party, who)| self.bring(party, who));
        tokio::join!(join_all(talks), join_all(photos));
        eventually(PATIENCE, "all photos are shown", async || self.stage.jobs().await == 0).await;
        for party in &self.parties {
            party.end(&self.stage).await;
        }
    }

    /// All goes on through `storm`, and every screen has everything that was acknowledged, in order, once. Gives how long
    /// that took.
    async fn goes_on(&self, mut screens: Vec<Vec<Follower>>, storm: impl Future<Output = ()>) -> Duration {
        let began = Instant::now();
        let killed = self.pods.get(KILLED).unwrap();
        let parties = self.parties.iter().zip(&mut screens);
        let follow = join_all(
            parties.flat_map(|(party, screens)| screens.iter_mut().map(move |screen| screen.follow(party))),
        );
        tokio::join!(storm, self.words(), follow);
        let spent = began.elapsed();
        self.pods.all_are_well().await;

        let (mut logged, mut cut) = (0, 0);
        for (party, screens) in self.parties.iter().zip(&screens) {
            let events = party.is_in_the_log(&self.stage).await;
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
        spent
    }
}

/// Gives this process over to a pod if it is to be one.
#[expect(
    clippy::disallowed_methods,
    reason = "one test is four processes, and tells which by its environment"
)]
async fn be_a_pod_if_told() {
    if let Some(variables) = env::var_os(VARIABLES) {
        fragile::be(&variables).await;
    }
}

#[tokio::test]
async fn of_10_000_events_200_screens_miss_none_whatever_dies() {
    be_a_pod_if_told().await;
    let test = "alone::storms::of_10_000_events_200_screens_miss_none_whatever_dies";
    let (mut house, pods) = (House::start().await, Pods::unknown(PODS));
    let (night, screens) = Night::begin(&house, &house.redis_url(), test, &pods).await;
    let storm = async {
        night.until(10).await;
        house.redis.kill9();
        night.until(22).await;
        night.hurt(HURT[0]);
        night.until(28).await;
        house.redis.start_again().await;

        night.until(38).await;
        night.kill(KILLED).await;
        night.until(48).await;
        night.start(KILLED).await;

        night.until(55).await;
        HURT.into_iter().for_each(|nth| night.hurt(nth));
        for percent in [62, 66, 70] {
            night.until(percent).await;
            house.line().cut().await;
        }
        night.until(76).await;
        house.line().refuse().await;
        house.line().cut().await;
        sleep(AWAY).await;
        house.line().heal().await;
        night.until(84).await;
        house.line().freeze().await;
        sleep(AWAY).await;
        house.line().heal().await;
        night.hurt(HURT[1]);
    };
    let spent = night.goes_on(screens, storm).await;
    println!("{EVENTS} events, and all have them, in {:.1} s", spent.as_secs_f64());
}

#[tokio::test]
async fn of_10_000_events_200_screens_miss_none_while_nodes_of_a_cluster_die() {
    be_a_pod_if_told().await;
    let test = "alone::storms::of_10_000_events_200_screens_miss_none_while_nodes_of_a_cluster_die";
    let (house, pods, mut cluster) = (House::start().await, Pods::unknown(PODS), Cluster::running().await);
    let (night, screens) = Night::begin(&house, &cluster.url(), test, &pods).await;
    let topic = format!("live:{:032x}", night.parties[0].id.as_u128());
    let storm = async {
        night.until(10).await;
        // On which pods tell each other of the first party
        let victim = cluster.master_of(&topic);
        cluster.kill(victim);
        night.until(14).await;
        night.hurt(HURT[0]);
        eventually(PATIENCE, "its replica takes over", async || {
            cluster.finds_master_of(&topic).is_some_and(|master| master != victim)
        })
        .await;

        night.until(30).await;
        night.kill(KILLED).await;
        night.until(40).await;
        night.start(KILLED).await;

        night.until(50).await;
        // It comes back, as a replica, and so does everything, empty
        cluster.start_again().await;
        night.until(60).await;
        cluster.kill_all();
        night.until(66).await;
        HURT.into_iter().for_each(|nth| night.hurt(nth));
        cluster.start_again().await;
        night.until(80).await;
        cluster.give_away(&topic);
    };
    let spent = night.goes_on(screens, storm).await;
    println!("{EVENTS} events, and all have them, in {:.1} s", spent.as_secs_f64());
}
