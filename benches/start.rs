//! What a pod costs before anybody comes: the time from its start to the first 200 of `/health/live`, and what it holds
//! of the memory; and what one client costs that asks and does not read. Beside each the target.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and ends when something is wrong"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::{Duration, Instant},
};

use support::{
    chaos_proxy::{ChaosProxy, Upstream},
    own::{OwnPostgres, OwnRedis},
    process::{Process, SECRET},
    stage::{Somebody, Stage},
    ws::WsClient,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime,
    time::{interval, sleep, timeout},
};

const STARTS: usize = 11;
/// Until what a start needs once has been given back.
const SETTLED: Duration = Duration::from_secs(5);
/// As many as one user may have.
const DEAF: u32 = 10;
/// Long enough for an outbox to fill and for its client to be cut.
const DEAFNESS: Duration = Duration::from_secs(5);
/// Below the 50 frames a second that a session may send.
const ASK_EVERY: Duration = Duration::from_millis(25);

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start().await);
    }
    starts.sort();
    println!(
        "start to first 200   {:>9.1} ms, median of {STARTS} starts (target: < 100)",
        millis(starts[STARTS / 2])
    );
    println!("slowest              {:>9.1} ms", millis(starts[STARTS - 1]));

    let alone = Process::serve("postgres://127.0.0.1:1/nowhere", "redis://127.0.0.1:1", &[]);
    alone.wait_for("Started").await;
    sleep(SETTLED).await;
    println!("idle, servers away   {:>9.1} MB resident", megabytes(alone.resident()));
    drop(alone);

    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let line = ChaosProxy::start(Upstream::Unix(redis.socket().to_owned())).await;
    let pod = Process::serve(postgres.url(), &format!("redis://{}", line.address()), &[]);
    pod.wait_for("Ready").await;
    sleep(SETTLED).await;
    println!("idle, servers there  {:>9.1} MB resident (target: < 40)", megabytes(pod.resident()));

    let before = pod.resident();
    let user = Stage::shared(postgres.url(), SECRET).user().await;
    let peak = deaf(&pod, &user).await;
    let each = megabytes(peak.saturating_sub(before)) / f64::from(DEAF);
    println!("a client gone deaf   {each:>9.2} MB at its most, mean of {DEAF} (target: <= 1 MiB)");
}

/// From the start of the process to its first 200.
async fn start() -> Duration {
    // Ours until now, and nobody else's for as long as a start takes
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let began = Instant::now();
    let more = [("PORT", port.to_string())];
    let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let _process = Process::serve("postgres://127.0.0.1:1/nowhere", "redis://127.0.0.1:1", &more);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    while !is_alive(address).await {
        sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}

async fn is_alive(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let mut head = [0; 12];
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .is_ok()
        && stream.read_exact(&mut head).await.is_ok()
        && &head == b"HTTP/1.1 200"
}

/// The most memory while clients ask for long answers and read none.
async fn deaf(pod: &Process, user: &Somebody) -> u64 {
    let address = pod.address().await;
    let mut clients = Vec::new();
    for _ in 0..DEAF {
        let headers = [("authorization", user.bearer.as_str())];
        clients.push(WsClient::connect_deaf(address, "/ws", &headers).await.unwrap());
    }
    let question = serde_json::json!({ "id": 1, "event": "ping", "data": "x".repeat(60_000) });
    let (mut peak, until) = (0, Instant::now() + DEAFNESS);
    let mut beat = interval(ASK_EVERY);
    while Instant::now() < until {
        beat.tick().await;
        for client in &mut clients {
            // Who was cut can ask no more, and whose questions are not read has to wait
            _ = timeout(ASK_EVERY / DEAF, client.try_send_json(&question)).await;
        }
        peak = peak.max(pod.resident());
    }
    peak
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^53")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
