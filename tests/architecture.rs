//! The rules of the house that a machine can check. ARCHITECTURE.md says why each is there.

#[path = "architecture/can_fail.rs"]
mod can_fail;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use rules::Ladder;
use source::Source;

/// Policy: downwards only. `actors` is the crate below.
const SRC: Ladder = Ladder {
    root: "src/",
    own: &["crate", "party_gallery"],
    other: ("party_gallery_actors", "actors"),
    rungs: &[
        ("main", &["app", "cli", "config", "telemetry"]),
        ("cli", &["actors", "app", "config", "db", "demo", "http", "local", "telemetry"]),
        (
            "app",
            &[
                "actors",
                "blob",
                "cache",
                "config",
                "db",
                "demo",
                "domain",
                "http",
                "jobs",
                "local",
                "realtime",
                "service",
                "telemetry",
            ],
        ),
        ("http", &["actors", "config", "domain", "realtime", "service", "telemetry", "view"]),
        (
            "jobs",
            &[
                "actors",
                "blob",
                "cache",
                "config",
                "db",
                "domain",
                "imaging",
                "realtime",
                "service",
                "telemetry",
                "view",
            ],
        ),
        ("demo", &["actors", "config", "domain", "service", "telemetry"]),
        ("service", &["blob", "cache", "config", "db", "domain", "imaging", "realtime", "telemetry", "view"]),
        ("view", &["config", "domain"]),
        ("db", &["actors", "config", "domain", "telemetry"]),
        ("blob", &["actors", "config", "domain", "telemetry"]),
        ("cache", &["actors", "config", "domain", "telemetry"]),
        ("realtime", &["actors", "config", "domain", "telemetry"]),
        ("imaging", &["domain"]),
        ("local", &["actors", "config"]),
        ("telemetry", &[]),
        ("config", &[]),
        ("domain", &[]),
    ],
};

/// Mechanism: everything on the kernel, and nothing beside each other.
const ACTORS: Ladder = Ladder {
    root: "actors/src/",
    own: &["crate", "party_gallery_actors"],
    other: ("party_gallery", "policy"),
    rungs: &[
        ("database", &["breaker", "kernel"]),
        ("redis", &["breaker", "kernel"]),
        ("realtime", &["breaker", "kernel", "redis"]),
        ("health", &["breaker", "kernel"]),
        ("worker", &["kernel"]),
        ("ticker", &["kernel"]),
        ("breaker", &["kernel"]),
        ("kernel", &[]),
    ],
};

/// What can be replaced by changing the files that know it, and what is global.
const KNOWN_ONLY_TO: &[(&str, &[&str])] = &[
    ("backoff", &["actors/src/kernel/backoff.rs"]),
    ("actix_web_actors", &["actors/src/realtime/session.rs"]),
    ("anyhow", &["src/main.rs", "src/cli.rs"]),
    ("crate::telemetry::root", ROOTS),
    ("crate::telemetry::install_bridge", ROOTS),
    ("crate::telemetry::install_panic_hook", ROOTS),
];

const ROOTS: &[&str] = &["src/main.rs", "src/cli.rs", "src/app.rs", "src/telemetry/"];

/// The one home of SQL, and what is a question of life rather than of data.
const SQL: &str = "src/db/";
const SQL_ELSEWHERE: &[(&str, &[&str])] = &[
    ("actors/src/database/", &["SELECT 1"]),
    ("src/local/postgres.rs", &["SELECT 1", "CREATE DATABASE {DATABASE}"]),
];

const BANNED: &[&str] = &["base", "common", "helper", "helpers", "manager", "misc", "util", "utils"];

const LINES: usize = 500;

/// Clippy takes only what is marked as a test for one: what tests share may fail by panicking too.
const WAVED_THROUGH: &[(&str, &[&str])] = &[
    (
        "tests/support/mod.rs",
        &[
            "dead_code",
            "unreachable_pub",
            "clippy::expect_used",
            "clippy::indexing_slicing",
            "clippy::panic",
            "clippy::print_stdout",
            "clippy::unwrap_used",
        ],
    ),
    (
        "tests/it/main.rs",
        &["clippy::expect_used", "clippy::indexing_slicing", "clippy::panic", "clippy::unwrap_used"],
    ),
];

#[test]
fn imports_go_downwards() -> io::Result<()> {
    hold(&SRC.breaches(&house()?));
    hold(&ACTORS.breaches(&house()?));
    Ok(())
}

#[test]
fn what_may_be_replaced_or_is_global_is_known_to_few() -> io::Result<()> {
    hold(&rules::known_elsewhere(&house()?, KNOWN_ONLY_TO));
    Ok(())
}

#[test]
fn whatever_tests_are_answered_is_looked_at() -> io::Result<()> {
    hold(&rules::unwatched(&house()?, "tests/support/client.rs"));
    Ok(())
}

#[test]
fn a_file_is_one_noun_and_says_what_it_is_for() -> io::Result<()> {
    let house = house()?;
    hold(&rules::too_long(&house, LINES));
    hold(&rules::nameless(&house, BANNED));
    hold(&rules::unexplained(&house));
    Ok(())
}

#[test]
fn sql_has_one_home() -> io::Result<()> {
    hold(&rules::stray_sql(&house()?, SQL, SQL_ELSEWHERE));
    Ok(())
}

#[test]
fn no_lint_is_waved_through_and_no_test_is_skipped() -> io::Result<()> {
    hold(&rules::waved_through(&house()?, WAVED_THROUGH));
    Ok(())
}

#[test]
fn the_contract_is_carried_unchanged() -> io::Result<()> {
    let theirs = root().join("../shared/contract");
    if !theirs.is_dir() {
        println!("nothing to compare with: ../shared/contract is not here");
        return Ok(());
    }
    hold(&rules::differences(&files(&root().join("docs/contract"))?, &files(&theirs)?));
    Ok(())
}

fn hold(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the house.
fn house() -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in ["src", "actors", "tests", "benches", "examples"] {
        for (name, bytes) in files(&root().join(folder))? {
            if name.ends_with(".rs") && !name.starts_with("target/") {
                sources.push(Source::new(format!("{folder}/{name}"), String::from_utf8_lossy(&bytes)));
            }
        }
    }
    assert!(sources.len() > 40, "the house was not found: only {} files", sources.len());
    Ok(sources)
}

/// The files of a folder and of the folders in it, by name.
fn files(folder: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            let inner = self::files(&entry.path())?;
            files.extend(inner.into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}
