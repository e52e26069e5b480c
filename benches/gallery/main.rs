//! What a page of a gallery costs with a million media, or `MEDIA` of them: processor time of a pod beside that of a bare
//! handler that asks the same statement and writes the same bytes, the two in turns, and that of PostgreSQL; how many pages a
//! second are shown that are kept, and how often "not modified" is said, beside a handler that has the bytes; and how long an
//! upload to a party of ten thousand takes beside one to a party of ten. Beside each figure its target.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a bench prints, and ends when something is wrong"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod bare;
mod ground;
mod load;
mod page;
mod pod;
mod processor;

use std::{net::SocketAddr, time::Duration};

use party_gallery::{
    config::JwtSecrets,
    realtime::Kind,
    service::tokens::{ACCESS_TOKEN, Tokens},
};
use party_gallery_actors::health::wall_clock;
use tokio::runtime;
use uuid::Uuid;

use bare::Bare;
use ground::Size;
use load::Load;
use pod::Pod;
use processor::Clock;
use support::{
    gathering::{form, upload},
    house::House,
    pictures,
    process::SECRET,
    stage::{Somebody, Stage},
};

/// How many times each side has its turn.
const TURNS: usize = 5;
const TURN: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 32;
const UPLOADS: usize = 51;
/// Pages that are asked for in turn where each is to be read: more than are asked for while one is kept.
const DIFFERENT: u32 = 40_000;

fn main() {
    if Bare::run() {
        return;
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(Size::asked_for()));
}

async fn measure(size: Size) {
    // It brings up the schema, and is what is measured then
    let pod = Pod::start().await;
    let took = ground::fill(pod.postgres.url(), size).await;
    println!("{} media in {} parties, made in {:.0} s", size.media(), size.parties, took.as_secs_f64());
    let servers = Clock::of_servers(pod.postgres.url()).await;
    let clock = pod.clock();
    let hot = vec![page::first(1)];
    let all = different(size);

    let answer = Load::new(pod.address(), &hot, &[]).first().await;
    println!("a page of {} is {} bytes; the pod is process {}", page::SHOWN, answer.body.len(), pod.id());
    let asking = Bare::statement(pod.postgres.url());
    let theirs = Load::new(asking.address(), &hot, &[]).first().await;
    assert!(answer.body == theirs.body, "the bare handler writes something else");
    let constant = Bare::constant(&answer);
    let against = |bare| Sides { pod: &clock, servers: &servers, bare };

    println!("\n{} pages in turn, each of them read, beside a handler with the same statement", all.len());
    let cold = against(&asking).compare(&Load::new(pod.address(), &all, &[])).await;
    cold.costs();
    println!("\nthe same, by a user");
    let bearer = bearer();
    against(&asking).compare(&Load::new(pod.address(), &all, &[("authorization", &bearer)])).await.costs();

    println!("\none page, asked for by nobody in particular, beside a handler with the same bytes");
    against(&constant).compare(&Load::new(pod.address(), &hot, &[])).await.rates();
    println!("\nthe same, by somebody who has it: 304");
    let known = [("if-none-match", answer.etag.as_str())];
    against(&constant).compare(&Load::new(pod.address(), &hot, &known)).await.rates();
    println!("\nthe same page, by a user who is asked for in PostgreSQL each time");
    let theirs = Load::new(pod.address(), &hot, &[("authorization", &bearer)]);
    against(&constant).compare(&theirs).await.rates();

    drop((asking, constant, pod));
    uploads().await;
}

/// As many pages as are to be different, of all parties in turn.
fn different(size: Size) -> Vec<String> {
    let each = (DIFFERENT / size.parties).min(size.media_each - 100);
    let pages = (0..each).flat_map(|n| (1..=size.parties).map(move |party| (party, n)));
    pages.map(|(party, n)| page::after(party, i64::from(size.media_each - n))).collect()
}

fn bearer() -> String {
    let secrets: JwtSecrets = SECRET.parse().unwrap();
    let id = ground::person(1);
    let token = Tokens::new(&secrets, wall_clock).issue(Kind::User, id, ACCESS_TOKEN).unwrap();
    format!("Bearer {}", token.expose())
}

/// Whose time is taken.
struct Sides<'a> {
    pod: &'a Clock,
    servers: &'a Clock,
    bare: &'a Bare,
}

/// What one side took: medians of its turns.
struct Side {
    /// Answers a second.
    rate: f64,
    /// Processor time of the process for an answer, in µs.
    cost: f64,
    /// That of PostgreSQL, in µs.
    servers: f64,
}

struct Outcome {
    ours: Side,
    bare: Side,
}

impl Sides<'_> {
    /// Ours and a bare handler in turns.
    async fn compare(&self, ours: &Load) -> Outcome {
        let theirs = ours.to(self.bare.address());
        let (mut of_ours, mut of_bare) = (Vec::new(), Vec::new());
        // Connections and plans are there then
        for load in [ours, &theirs] {
            load.run(CONNECTIONS, TURN / 4).await;
        }
        for _ in 0..TURNS {
            of_bare.push(self.turn(&theirs, &self.bare.clock()).await);
            of_ours.push(self.turn(ours, self.pod).await);
        }
        Outcome { ours: Side::median(&of_ours), bare: Side::median(&of_bare) }
    }

    async fn turn(&self, load: &Load, clock: &Clock) -> Side {
        let (began, servers_began) = (clock.spent(), self.servers.spent());
        let run = load.run(CONNECTIONS, TURN).await;
        let each = |spent: f64| spent * 1e6 / run.answers;
        let (cost, servers) = (each(clock.spent() - began), each(self.servers.spent() - servers_began));
        Side { rate: run.rate, cost, servers }
    }
}

impl Side {
    fn median(turns: &[Self]) -> Self {
        let of = |what: fn(&Self) -> f64| median(&mut turns.iter().map(what).collect::<Vec<_>>());
        Self { rate: of(|side| side.rate), cost: of(|side| side.cost), servers: of(|side| side.servers) }
    }
}

impl Outcome {
    /// Where processor time is what counts.
    fn costs(&self) {
        self.print();
        println!("  ratio of times    {:>9.2} (target: <= 2)", self.ours.cost / self.bare.cost);
        let [ours, bare] = [&self.ours, &self.bare].map(|side| side.servers / 100.0);
        println!(
            "  PostgreSQL        {ours:>9.2} s for 10,000 (target: <= 1.4), {bare:.2} s for the bare one's"
        );
    }

    /// Where answers a second are what counts.
    fn rates(&self) {
        self.print();
        println!("  ratio of rates    {:>9.2} (target: >= 0.6)", self.ours.rate / self.bare.rate);
        println!("  PostgreSQL        {:>9.2} s for 10,000", self.ours.servers / 100.0);
    }

    fn print(&self) {
        let Self { ours, bare } = self;
        println!("  requests/s        {:>9.0} ours, {:.0} bare", ours.rate, bare.rate);
        println!("  processor time    {:>9.1} µs a request, {:.1} µs bare", ours.cost, bare.cost);
    }
}

/// How long an upload waits for its answer, among few and among many.
async fn uploads() {
    let house = House::start().await;
    let (_pod, address) = house.pod(&[]).await;
    let stage = Stage::shared(house.postgres.url(), SECRET);
    let mut places = Vec::new();
    for attendees in [10_i64, 10_000] {
        places.push((ground::crowd(&stage, attendees).await, Vec::new()));
    }
    stage.execute("ANALYZE", &[]).await;
    let mut photos = (1_u32..).map(|n| pictures::salted_jpeg(64, 64, n));
    for _ in 0..UPLOADS {
        for ((party, by), times) in &mut places {
            let photo = photos.next().unwrap();
            times.push(acknowledged(&address, *party, by, photo).await);
        }
    }
    let [few, many] = [0, 1].map(|at| median(&mut places[at].1) * 1e3);
    println!("\nan upload, from its first byte to its answer");
    println!("  among 10          {few:>9.1} ms, median of {UPLOADS}");
    println!("  among 10,000      {many:>9.1} ms");
    println!("  ratio             {:>9.2} (target: 1)", many / few);
}

async fn acknowledged(pod: &SocketAddr, party: Uuid, by: &Somebody, photo: Vec<u8>) -> f64 {
    let began = std::time::Instant::now();
    let made = upload(pod, Some(by), party, form(photo, "a.jpg"), &[]).await;
    assert_eq!(made.status, 201, "{made:?}");
    began.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
