//! The figures, each beside its limit.

use crate::load::{Load, Spent};

/// What a delivery costs under a load: the floor's, a pod's, what of that goes into making messages, and Socket.IO's.
pub fn delivery(load: &Load, floor: &Spent, whole: &Spent, making: &Spent, socketio: Option<&Spent>) {
    let Load { name, rooms, each, .. } = load;
    println!("{rooms} x {each}, {name}");
    let floor = line("floor", floor);
    let own = line("service", whole);
    let message = making.own.as_secs_f64() / making.messages as f64;
    let made = message * whole.messages as f64 / whole.deliveries as f64 * 1e6;
    let below = whole.below.as_secs_f64() / whole.messages as f64;
    println!(
        "  of it {made:.2} to make messages ({:.2} ms each, and {:.2} in PostgreSQL), {:.2} to deliver them",
        message * 1e3,
        below * 1e3,
        own - made
    );
    if *rooms == 1 {
        ratio("service by floor", own, own - made, floor, matches!(*name, "20/s").then_some(1.3));
    }
    if let Some(socketio) = socketio {
        let socketio = line("socket.io", socketio);
        let limit = match (rooms, *name) {
            (1, "16 in flight") => Some(0.2),
            (1, _) => None,
            _ => Some(0.5),
        };
        ratio("service by socket.io", own, own - made, socketio, limit);
        ratio("socket.io by floor", socketio, socketio, floor, None);
    }
}

fn line(name: &str, spent: &Spent) -> f64 {
    let each = spent.own.as_secs_f64() / spent.deliveries as f64 * 1e6;
    println!("  {name:<22} {each:>8.2} s ({} messages, {} deliveries)", spent.messages, spent.deliveries);
    each
}

fn ratio(name: &str, whole: f64, delivering: f64, other: f64, limit: Option<f64>) {
    let limit = limit.map_or(String::new(), |limit| format!(" (limit: <= {limit})"));
    println!("  {name:<22} {:>8.2}{limit}, delivering alone {:.2}", whole / other, delivering / other);
}
