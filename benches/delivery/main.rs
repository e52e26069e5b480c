//! What a delivery costs: processor time of a pod beside that of a floor (one thread that writes the same bytes, one `send`
//! for each delivery) and of a Socket.IO 4 server on Node; and what an idle socket holds of the memory, and its coming
//! takes of the processor. Beside each figure its limit. Only what servers spend is counted: the listeners are ours.
//!
//! `DELIVERY_SCREENS` (1000), `DELIVERY_SECONDS` (10) and `DELIVERY_SOCKETS` (10000) make it smaller.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a bench prints, and ends when something is wrong"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod floor;
mod idle;
mod load;
mod report;
mod service;
mod socket;
mod socketio;

use std::{env, time::Duration};

use tokio::runtime;

use floor::Floor;
use load::{Load, Pace, Spent, run};
use service::Service;
use socketio::SocketIo;

fn main() {
    if Floor::is_asked_for() {
        return Floor::run();
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

/// What the environment makes of a figure.
#[expect(clippy::disallowed_methods, reason = "a bench has no configuration but its own")]
fn figure(name: &str, otherwise: usize) -> usize {
    env::var(name).map_or(otherwise, |given| given.parse().unwrap())
}

async fn measure() {
    let screens = figure("DELIVERY_SCREENS", 1_000);
    let during = Duration::from_secs(figure("DELIVERY_SECONDS", 10).try_into().unwrap());
    let node = SocketIo::install();
    if let Err(why) = &node {
        println!("socket.io: not measured, for {why}");
    }
    let service = Service::start().await;
    let frame = service.frame().await;
    println!(
        "a delivery is a frame of {} bytes; processor time in seconds per million deliveries",
        frame.len()
    );
    for load in [
        Load { name: "20/s", rooms: 1, each: screens, pace: Pace::EverySecond(20) },
        Load { name: "16 in flight", rooms: 1, each: screens, pace: Pace::InFlight(16) },
        Load { name: "16 in flight", rooms: 100, each: screens / 100, pace: Pace::InFlight(16) },
    ] {
        let floor = run(&Floor::start(&frame, &load).await, &load, during).await;
        let whole = run(&service, &load, during).await;
        // The same for one listener: what it takes to make messages, and next to nothing of what it takes to send them
        let making: Spent = run(&service, &Load { each: 1, ..load }, during).await;
        let socketio = match &node {
            Ok(node) => Some(run(&node.start(&frame).await, &load, during).await),
            Err(_) => None,
        };
        report::delivery(&load, &floor, &whole, &making, socketio.as_ref());
    }
    drop(service);
    idle::measure(&node, &frame, figure("DELIVERY_SOCKETS", 10_000)).await;
}
