//! The commands and their exit codes.

use std::{
    io::{self, IsTerminal as _, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use clap::{Arg, Command, value_parser};
use slog::{Logger, crit, error, info};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::{
    app::{App, StartError},
    config::Config,
    db::migrate::{self, MigrateError},
    demo::Card,
    telemetry::{self, Chain, Format, LogGuard, Metrics, Settings},
};

/// The configuration is bad, or the words on the command line are.
const BAD_CONFIGURATION: u8 = 64;
/// The service could not be started.
const NOT_STARTED: u8 = 1;
/// How long the last lines may take to be written.
const FLUSH: Duration = Duration::from_secs(2);
/// How long `migrate` may take.
const MIGRATED_WITHIN: Duration = Duration::from_secs(600);
/// The option of `serve` that asks for a demo party.
const DEMO: &str = "demo";
const PROBE: Duration = Duration::from_secs(2);

/// Runs the command that the arguments name and gives the exit code.
pub fn run() -> u8 {
    let demo = Arg::new(DEMO)
        .long(DEMO)
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Makes a party of the pictures in DIR, the first 40, once; for development");
    let command = Command::new("party-gallery")
        .about("The backend that a party cannot break")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand(Command::new("serve").about("Serves; the default").arg(demo))
        .subcommand(Command::new("migrate").about("Brings the schema of DATABASE_URL up to this version"))
        .subcommand(Command::new("openapi").about("Prints the OpenAPI 3.1 document"))
        .subcommand(Command::new("healthcheck").about("Asks the local /health/live"));
    let matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version come this way too, and are no error
            _ = error.print();
            return if error.use_stderr() { BAD_CONFIGURATION } else { 0 };
        }
    };
    if matches.subcommand_name() == Some("openapi") {
        return print(&crate::http::document::document());
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => {
            _ = writeln!(io::stderr(), "{problems}");
            // Docker knows 0 and 1 only as the end of a health check
            return if matches.subcommand_name() == Some("healthcheck") { 1 } else { BAD_CONFIGURATION };
        }
    };
    match matches.subcommand_name() {
        Some("healthcheck") => healthcheck(&config),
        Some("migrate") => migrate(&config),
        _ => {
            let demo = matches.subcommand().and_then(|(_serve, words)| words.get_one::<PathBuf>(DEMO));
            if demo.is_some() && !config.environment.is_local() {
                let told = format!("--demo is for development, and this is {}", config.environment);
                _ = writeln!(io::stderr(), "{told}");
                return BAD_CONFIGURATION;
            }
            serve(config, demo.cloned())
        }
    }
}

/// The document is the same whatever the environment.
fn print(document: &serde_json::Value) -> u8 {
    u8::from(writeln!(io::stdout(), "{document:#}").is_err())
}

fn serve(config: Config, demo: Option<PathBuf>) -> u8 {
    let metrics = Metrics::new();
    let (log, guard) = root(&config, &metrics);
    telemetry::install_panic_hook(log.clone());

    let code = actix_web::rt::System::new().block_on(async {
        let app = match App::start(config, log.clone(), metrics).await {
            Ok(app) => app,
            Err(error) => {
                error!(log, "Not started"; "error" => %Chain(&error));
                return if matches!(error, StartError::Redis(_)) { BAD_CONFIGURATION } else { NOT_STARTED };
            }
        };
        if let Some(pictures) = demo
            && let Err(error) = app.demonstrate(pictures, Box::new(show)).await
        {
            error!(log, "No demo party"; "error" => %Chain(&error));
        }
        let (tell, signals) = mpsc::channel(4);
        let run = app.run(signals);
        tokio::select! {
            exit = run => exit.code(),
            // Never ends before the run does
            () = pass_on_signals(&log, tell) => NOT_STARTED,
        }
    });
    guard.flush(FLUSH);
    code
}

/// Shows the demo party between two lines of the log.
fn show(card: &Card) {
    let mut out = io::stdout().lock();
    let drawn = card.draw(out.is_terminal());
    // Nobody reads it: then nobody misses it
    _ = out.write_all(drawn.as_bytes()).and_then(|()| out.flush());
}

/// The root logger, which `log` goes to as well.
fn root(config: &Config, metrics: &Metrics) -> (Logger, LogGuard) {
    let format = match config.environment.is_local() {
        true => Format::Text { coloured: io::stdout().is_terminal() },
        false => Format::Json,
    };
    let pod = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let settings = Settings { format, level: config.log_level, pod };
    let (log, guard) = telemetry::root(settings, io::stdout(), metrics.log_lines_dropped().clone());
    // A second run in one process, as in tests, finds them installed
    _ = telemetry::install_bridge(&log);
    (log, guard)
}

/// Applies what is missing: 0, 64 when the schema is for newer binaries, else 1.
fn migrate(config: &Config) -> u8 {
    let (log, guard) = root(config, &Metrics::new());
    let code = match &config.database_url {
        None => {
            error!(log, "Not migrated"; "error" => "DATABASE_URL is not set: a private server is migrated when it is started");
            BAD_CONFIGURATION
        }
        Some(url) => {
            let up = migrate::bring_up(url.expose(), MIGRATED_WITHIN, &log);
            match actix_web::rt::System::new().block_on(up) {
                Ok(schema) => {
                    info!(log, "Schema fits"; "version" => schema.version);
                    0
                }
                Err(error) => {
                    error!(log, "Not migrated"; "error" => %Chain(&error));
                    if matches!(error, MigrateError::TooNew(_)) { BAD_CONFIGURATION } else { NOT_STARTED }
                }
            }
        }
    };
    guard.flush(FLUSH);
    code
}

/// Passes every SIGTERM and SIGINT on.
async fn pass_on_signals(log: &Logger, tell: mpsc::Sender<()>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        crit!(log, "Signals cannot be heard");
        return;
    };
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // A full queue says already all that there is to say
        _ = tell.try_send(());
    }
}

/// Asks the local service whether it lives: 0 or 1.
fn healthcheck(config: &Config) -> u8 {
    let host = match config.host {
        IpAddr::V4(host) if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(host) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        host => host,
    };
    let alive = ask(SocketAddr::new(host, config.port)).is_ok_and(|alive| alive);
    u8::from(!alive)
}

fn ask(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, PROBE)?;
    stream.set_read_timeout(Some(PROBE))?;
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0_u8; 12];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"HTTP/1.1 200")
}
