//! What sockets hold of the memory while nothing happens, and what their coming takes of the processor.

use std::{cell::Cell, rc::Rc, time::Duration};

use tokio::time::sleep;

use crate::{
    load::{Server, come, listening},
    service::Service,
    socketio::SocketIo,
};

/// Until what coming needs once has been given back, and pings have come and gone.
const SETTLED: Duration = Duration::from_secs(30);
/// What a process needs beside its sockets.
const OTHERS: u64 = 600;
const SERVICE_KILOBYTES: f64 = 13.0;
const COMING_MILLIS: f64 = 0.1;

/// So many sockets, or as many as this machine lets a process have: a pod has two descriptors for each.
pub async fn measure(node: &Result<SocketIo, String>, frame: &str, sockets: usize) {
    let possible = usize::try_from(raise_descriptors().saturating_sub(OTHERS) / 2).unwrap();
    let sockets = if possible < sockets {
        println!("only {possible} sockets: a process may not have more descriptors here");
        possible
    } else {
        sockets
    };
    for rooms in [1, 100] {
        of("service", &Service::start().await, rooms, sockets, true).await;
    }
    if let Ok(node) = node {
        of("socket.io", &node.start(frame).await, 1, sockets, false).await;
    }
}

async fn of<S: Server>(name: &str, server: &S, rooms: usize, sockets: usize, is_limited: bool) {
    let each = sockets / rooms;
    let sockets = each * rooms;
    server.open(rooms, each).await;
    let empty = server.resident();
    let (before, below) = (server.spent(), server.spent_below());
    let came = come(server, rooms, each).await;
    let (own, below) = (server.spent() - before, server.spent_below() - below);
    let delivered = Rc::new(Cell::new(0));
    listening(came, S::DELIVERY, &delivered, sleep(SETTLED)).await;
    let kilobytes = (server.resident() - empty) as f64 / 1_000.0 / sockets as f64;
    let millis = |time: Duration| time.as_secs_f64() * 1e3 / sockets as f64;
    let limit = |limit: f64| if is_limited { format!(" (limit: <= {limit})") } else { String::new() };
    println!("{name}: {sockets} idle sockets in {rooms} rooms");
    println!("  resident               {kilobytes:>8.2} KB each{}", limit(SERVICE_KILOBYTES));
    println!(
        "  connect and join       {:>8.3} ms each{}, and {:.3} in PostgreSQL",
        millis(own),
        limit(COMING_MILLIS),
        millis(below)
    );
}

/// Lets this process and those that it starts have as many descriptors as they may. Gives how many.
#[expect(unsafe_code, reason = "the standard library knows no limits of processes")]
fn raise_descriptors() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both are given a valid limit, and keep nothing of it
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
    limit.rlim_cur
}
