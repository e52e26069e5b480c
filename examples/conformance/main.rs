//! A server for conformance suites: on `/` it says back what it is told, text and binary.
//!
//!     cargo run --example conformance -- --port 3000 --ping-interval-ms 25000 --ping-timeout-ms 20000

#![expect(clippy::print_stdout, reason = "it tells where it listens")]

mod pod;

use std::{error::Error, time::Duration};

use clap::{Arg, ArgMatches, Command, value_parser};
use tokio::signal::ctrl_c;

use pod::{Options, Pod};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let pod = Pod::start(options(&command().get_matches())).await?;
    println!("ws://{}/", pod.address);
    ctrl_c().await?;
    pod.stop().await
}

fn command() -> Command {
    let number = |name, help| Arg::new(name).long(name).help(help);
    Command::new("conformance")
        .about("A server for conformance suites")
        .arg(number("port", "Where it listens on 127.0.0.1").value_parser(value_parser!(u16)))
        .arg(number("max-message", "The longest message, in bytes").value_parser(value_parser!(usize)))
        .arg(number("ping-interval-ms", "How often a client is pinged").value_parser(value_parser!(u64)))
        .arg(number("ping-timeout-ms", "How long it may take to answer").value_parser(value_parser!(u64)))
}

fn options(matches: &ArgMatches) -> Options {
    let standard = Options::default();
    let time = |name, otherwise| matches.get_one(name).copied().map_or(otherwise, Duration::from_millis);
    Options {
        port: matches.get_one("port").copied().unwrap_or(standard.port),
        message_bytes: matches.get_one("max-message").copied().unwrap_or(standard.message_bytes),
        ping_every: time("ping-interval-ms", standard.ping_every),
        answer_within: time("ping-timeout-ms", standard.answer_within),
    }
}
