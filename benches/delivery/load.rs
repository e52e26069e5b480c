//! Rooms full of listeners, something that is said in them, and what a server spends on it.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::join_all, stream};

use crate::{
    socket::{Hello, Socket},
    support::{crowd::paced, poll::eventually},
};

/// How many come at once.
const COMING: usize = 64;
/// Said before anything is counted.
const WARMING: usize = 20;
/// Until what was said last has arrived.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where listeners go and what is said reaches them.
pub trait Server {
    /// How a delivery begins.
    const DELIVERY: &'static str;

    fn address(&self) -> SocketAddr;

    /// Makes rooms, with a place for so many in each.
    async fn open(&self, rooms: usize, each: usize);

    /// How one comes into a room.
    fn hello(&self, room: usize, nth: usize) -> Hello;

    /// Says something in a room.
    async fn say(&self, room: usize);

    /// What has to go on meanwhile; it does not end.
    async fn attend(&self);

    /// Its processor time until now.
    fn spent(&self) -> Duration;

    /// Of what it stands on: its database.
    fn spent_below(&self) -> Duration {
        Duration::ZERO
    }

    /// What it holds of the memory, in bytes.
    fn resident(&self) -> u64;
}

/// How often something is said.
#[derive(Clone, Copy)]
pub enum Pace {
    EverySecond(u32),
    InFlight(usize),
}

#[derive(Clone, Copy)]
pub struct Load {
    pub name: &'static str,
    pub rooms: usize,
    pub each: usize,
    pub pace: Pace,
}

/// What a load has taken.
pub struct Spent {
    pub messages: usize,
    pub deliveries: usize,
    pub own: Duration,
    pub below: Duration,
}

/// So many in each of so many rooms.
pub async fn come(server: &impl Server, rooms: usize, each: usize) -> Vec<Socket> {
    let all = (0..each).flat_map(|nth| (0..rooms).map(move |room| (room, nth)));
    let come = |(room, nth)| Socket::connect(server.address(), server.hello(room, nth));
    stream::iter(all).map(come).buffer_unordered(COMING).collect().await
}

/// Listens until something else is over.
pub async fn listening<T>(
    sockets: Vec<Socket>,
    delivery: &str,
    delivered: &Rc<Cell<usize>>,
    during: impl Future<Output = T>,
) -> T {
    let all = join_all(sockets.into_iter().map(|socket| socket.listen(delivery, Rc::clone(delivered))));
    tokio::select! {
        done = during => done,
        _ = all => panic!("all sockets were closed"),
    }
}

/// What a server spends while something is said for so long.
pub async fn run<S: Server>(server: &S, load: &Load, during: Duration) -> Spent {
    server.open(load.rooms, load.each).await;
    let sockets = come(server, load.rooms, load.each).await;
    let delivered = Rc::new(Cell::new(0));
    let talk = async {
        let said = Cell::new(0);
        let say = async || {
            let nth = said.replace(said.get() + 1);
            server.say(nth % load.rooms).await;
        };
        let arrived = async || {
            let all = || said.get() * load.each;
            eventually(PATIENCE, "all was delivered", async || delivered.get() == all()).await;
        };
        for _ in 0..WARMING {
            say().await;
        }
        arrived().await;
        let (before, below) = (server.spent(), server.spent_below());
        let until = Instant::now() + during;
        match load.pace {
            Pace::EverySecond(times) => {
                let mut pace = paced(Duration::from_secs(1) / times);
                while Instant::now() < until {
                    pace.tick().await;
                    say().await;
                }
            }
            Pace::InFlight(many) => {
                let talkers = (0..many).map(async |_| {
                    while Instant::now() < until {
                        say().await;
                    }
                });
                join_all(talkers).await;
            }
        }
        arrived().await;
        let messages = said.get() - WARMING;
        Spent {
            messages,
            deliveries: messages * load.each,
            own: server.spent() - before,
            below: server.spent_below() - below,
        }
    };
    tokio::select! {
        spent = listening(sockets, S::DELIVERY, &delivered, talk) => spent,
        () = server.attend() => panic!("nobody answers any more"),
    }
}
