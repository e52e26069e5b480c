//! A server for conformance suites, on the sockets and the two codecs of the service.
//!
//!     cargo run --example conformance
//!
//! `/` says back what it is told, text and binary, as a bare WebSocket. `/engine.io/` does the same in Engine.IO, version 4.
//! `/socket.io/` is a small application in Socket.IO, version 5, in the namespaces `/`, `/custom` and `/quiet`:
//!
//! | heard | said |
//! |---|---|
//! | a CONNECT | `auth` with what it brought, `{}` if nothing |
//! | `message(…)` | `message-back(…)`, the same arguments |
//! | `message-with-ack(…)` | the acknowledgement, with the same arguments |
//! | `join(room)`, `leave(room)` | the acknowledgement, without arguments |
//! | `pub(room, data)` | `m(data)` to all who are in the room of that namespace, and the acknowledgement |
//!
//! What is binary goes back as it came. `/quiet` acknowledges, and emits nothing.

#![expect(clippy::print_stdout, reason = "it tells where it listens")]

mod pod;

use std::{error::Error, time::Duration};

use clap::{Arg, ArgMatches, Command, error::ErrorKind, value_parser};
use tokio::signal::ctrl_c;

use pod::{Options, Pod};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let matches = command().get_matches();
    if matches.get_one::<String>("recovery").is_some_and(|recovery| recovery == "on") {
        command()
            .error(ErrorKind::InvalidValue, "--recovery on: connection state recovery is not in here")
            .exit();
    }
    let pod = Pod::start(options(&matches)).await?;
    println!("ws://{}/", pod.address);
    ctrl_c().await?;
    pod.stop().await
}

fn command() -> Command {
    let flag = |name, unit, help| Arg::new(name).long(name).value_name(unit).help(help);
    let millis = |name, help| flag(name, "MS", help).value_parser(value_parser!(u64).range(1..=86_400_000));
    let bytes = |name, help| flag(name, "BYTES", help).value_parser(value_parser!(u64).range(1..=1 << 30));
    Command::new("conformance")
        .about("A server for conformance suites: / /engine.io/ /socket.io/")
        .arg(
            flag("port", "PORT", "Where it listens on 127.0.0.1, 0 for any [default: 3000]")
                .value_parser(value_parser!(u16)),
        )
        .arg(millis("ping-interval-ms", "How often a client of Engine.IO is pinged [default: 300]"))
        .arg(millis("ping-timeout-ms", "How long it may take to answer [default: 200]"))
        .arg(bytes("max-payload", "The longest body and message of Engine.IO [default: 1000000]"))
        .arg(millis("connect-timeout-ms", "How long a client may take to CONNECT [default: 1000]"))
        .arg(bytes("max-message", "The longest message on / [default: 16777216]"))
        .arg(
            flag("recovery", "ON|OFF", "Connection state recovery")
                .value_parser(["on", "off"])
                .default_value("off"),
        )
}

fn options(matches: &ArgMatches) -> Options {
    let standard = Options::default();
    let time = |name, otherwise| matches.get_one(name).copied().map_or(otherwise, Duration::from_millis);
    let bytes = |name, otherwise| {
        let given = matches.get_one(name).copied().map(u64::try_into).and_then(Result::ok);
        given.unwrap_or(otherwise)
    };
    Options {
        port: matches.get_one("port").copied().unwrap_or(standard.port),
        message_bytes: bytes("max-message", standard.message_bytes),
        payload_bytes: bytes("max-payload", standard.payload_bytes),
        ping_every: time("ping-interval-ms", standard.ping_every),
        answer_within: time("ping-timeout-ms", standard.answer_within),
        connect_within: time("connect-timeout-ms", standard.connect_within),
    }
}
