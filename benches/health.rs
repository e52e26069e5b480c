//! The cost of `/health` beside a bare handler that returns the same bytes from a constant: requests a second at 64
//! connections, the two in turns within one run, and their ratio.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and ends when something is wrong"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime,
    task::JoinSet,
};

use support::{
    DEADLINE,
    app::TestApp,
    own::{OwnPostgres, OwnRedis},
    poll::eventually,
};

const CONNECTIONS: usize = 64;
const TURN: Duration = Duration::from_millis(1500);
const TURNS: usize = 5;

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(compare());
}

async fn compare() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[]).await;
    eventually(DEADLINE, "healthy", async || app.get("/health").await.0 == 200).await;
    let body = reqwest::get(app.url("/health")).await.unwrap().bytes().await.unwrap();
    let bare = bare(&body);

    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bares.push(rate(bare).await);
        ours.push(rate(app.address()).await);
    }
    let (ours, bares) = (median(&mut ours), median(&mut bares));
    println!("/health        {ours:>9.0} requests/s, median of {TURNS} turns, {CONNECTIONS} connections");
    println!("bare constant  {bares:>9.0} requests/s");
    println!("ratio          {:>9.2}", ours / bares);
    app.stop().await;
}

/// The floor: the same server, the same bytes, nothing else.
fn bare(body: &[u8]) -> SocketAddr {
    let body: &'static [u8] = body.to_vec().leak();
    let (tell, address) = std::sync::mpsc::sync_channel(1);
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let answer =
                move || async move { HttpResponse::Ok().content_type("application/json").body(body) };
            let server = HttpServer::new(move || App::new().route("/health", web::get().to(answer)))
                .workers(thread::available_parallelism().map_or(2, usize::from))
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
            tell.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    address.recv().unwrap()
}

/// Requests a second over one turn: each connection asks again as soon as it is answered.
async fn rate(address: SocketAddr) -> f64 {
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..CONNECTIONS {
        asking.spawn(ask(address, began + TURN));
    }
    let answers: usize = asking.join_all().await.into_iter().sum();
    f64::from(u32::try_from(answers).unwrap()) / began.elapsed().as_secs_f64()
}

async fn ask(address: SocketAddr, until: Instant) -> usize {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut buffer = vec![0; 8192];
    let mut answers = 0;
    while Instant::now() < until {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut read = 0;
        // Both bodies are one JSON object and short: an answer ends with the object
        while !buffer[..read].ends_with(b"}") {
            let got = stream.read(&mut buffer[read..]).await.unwrap();
            assert!(got > 0, "closed");
            read += got;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "not 200");
        answers += 1;
    }
    answers
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
