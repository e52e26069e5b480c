//! What a page of a gallery costs with a million media: processor time of a pod beside that of a bare handler that sends the
//! same bytes, the two in turns; processor time of PostgreSQL; how fast "not modified" is said; and how long an upload to a
//! party of ten thousand takes beside one to a party of ten. Beside each figure its target.

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
use load::Load;
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

fn main() {
    if Bare::is_asked_for() {
        return Bare::run();
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let house = House::start().await;
    // It brings up the schema, and is what is measured then
    let (pod, address) = house.pod(&[]).await;
    let took = ground::fill(house.postgres.url()).await;
    println!("{} media in {} parties, made in {:.0} s", ground::MEDIA, ground::PARTIES, took.as_secs_f64());
    let servers = Clock::of_servers(house.postgres.url()).await;
    let hot = vec![path(1)];
    let all: Vec<_> = (1..=ground::PARTIES).map(path).collect();

    let answer = Load::new(address, &hot, &[]).first().await;
    println!("a page of 50 is {} bytes", answer.body.len());
    let bare = Bare::start(&answer);
    let sides = Sides { pod: &Clock::of_process(pod.id()), servers: &servers, bare: &bare };

    println!("\none party, 50 of its media, asked for by nobody in particular");
    sides.compare(&Load::new(address, &hot, &[]), None).await;
    println!("\nthe same, by a user");
    sides.compare(&Load::new(address, &hot, &[("authorization", &bearer())]), None).await;
    println!("\nthe same of {} parties in turn, by nobody in particular: each page is read", ground::PARTIES);
    sides.compare(&Load::new(address, &all, &[]), None).await;
    println!("\none party, by somebody who has the page: 304");
    sides.compare(&Load::new(address, &hot, &[("if-none-match", &answer.etag)]), Some(0.6)).await;

    drop((bare, pod));
    uploads().await;
}

fn path(party: u32) -> String {
    format!("/api/v1/parties/{}/media?limit=50", ground::party(party))
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

impl Sides<'_> {
    /// Ours and a bare handler in turns; `rate` is what ours should reach of its rate, where that is what counts.
    async fn compare(&self, ours: &Load, rate: Option<f64>) {
        let Self { pod, servers, bare } = self;
        let theirs = ours.to(bare.address());
        // Connections, plans and pages are there then
        ours.run(CONNECTIONS, TURN / 4).await;
        let (mut ours_cost, mut bare_cost, mut sql_cost) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ours_rate, mut bare_rate) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let began = bare.clock().spent();
            let run = theirs.run(CONNECTIONS, TURN).await;
            bare_cost.push((bare.clock().spent() - began) / run.answers);
            bare_rate.push(run.rate);
            let (began, sql_began) = (pod.spent(), servers.spent());
            let run = ours.run(CONNECTIONS, TURN).await;
            ours_cost.push((pod.spent() - began) / run.answers);
            sql_cost.push((servers.spent() - sql_began) / run.answers);
            ours_rate.push(run.rate);
        }
        let [ours_cost, bare_cost, sql_cost] =
            [&mut ours_cost, &mut bare_cost, &mut sql_cost].map(|of| median(of));
        let [ours_rate, bare_rate] = [&mut ours_rate, &mut bare_rate].map(|of| median(of));
        println!("  requests/s        {ours_rate:>9.0} ours, {bare_rate:.0} bare");
        if let Some(target) = rate {
            println!("  ratio of rates    {:>9.2} (target: >= {target})", ours_rate / bare_rate);
        }
        let (ours_cost, bare_cost) = (ours_cost * 1e6, bare_cost * 1e6);
        println!("  processor time    {ours_cost:>9.1} µs a request, {bare_cost:.1} µs bare");
        println!("  ratio of these    {:>9.2} (target: <= 2)", ours_cost / bare_cost);
        println!("  PostgreSQL        {:>9.2} s for 10,000 requests (target: <= 1.4)", sql_cost * 10_000.0);
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
