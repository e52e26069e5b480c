//! The configuration as a whole: defaults, requirements, problems, and `.env.example`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::variables::{Fallback, SECTIONS, Variable};
use super::*;

const SECRET: &str = "a secret of the tests that is long enough";

/// What staging and production require.
const REQUIRED: [(&str, &str); 5] = [
    ("DATABASE_URL", "postgres://u:p4ssw0rd@localhost/party"),
    ("REDIS_URL", "redis://:p4ssw0rd@localhost"),
    ("STORAGE_URL", "file:///srv/media"),
    ("PUBLIC_URL", "https://party.example"),
    ("JWT_SECRET", SECRET),
];

fn parse(pairs: &[(&str, &str)]) -> Result<Config, Problems> {
    // Later pairs win
    let map: BTreeMap<_, _> = pairs.iter().copied().collect();
    Config::parse(|name| map.get(name).map(|value| (*value).to_owned()))
}

fn deployed(environment: &str, more: &[(&str, &str)]) -> Result<Config, Problems> {
    let mut pairs = vec![("APP_ENV", environment)];
    pairs.extend(REQUIRED);
    pairs.extend(more);
    parse(&pairs)
}

fn names(parsed: Result<Config, Problems>) -> Vec<&'static str> {
    parsed.expect_err("the configuration was taken").iter().map(Problem::variable).collect()
}

fn all() -> impl Iterator<Item = &'static Variable> {
    SECTIONS.iter().flat_map(|section| section.variables)
}

#[test]
fn without_any_variable_it_is_a_development_machine() {
    let config = parse(&[]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!((config.host.to_string().as_str(), config.port), ("127.0.0.1", 3000));
    assert_eq!(config.public_url.link("/"), "http://localhost:3000/");
    assert_eq!(config.data_dir, PathBuf::from("./.party-gallery"));
    assert_eq!(config.storage_url, StorageUrl::Directory("./.party-gallery/media".into()));
    assert_eq!((config.database_url, config.redis_url, config.jwt_secrets), (None, None, None));
    assert_eq!(config.auth, Auth { local: true, firebase: None });
    assert_eq!((config.push, config.operator_token), (None, None));
    assert_eq!(config.log_level, slog::Level::Info);
    assert_eq!(config.ready_requires, BTreeSet::from([Dependency::Database, Dependency::Redis]));
    assert_eq!(config.health_interval, Duration::from_secs(5));
    assert_eq!((config.drain_delay, config.shutdown_timeout), (Duration::ZERO, Duration::from_secs(30)));
    assert_eq!((config.event_retention, config.retention_days), (7 * DAY, 30));
    assert_eq!((config.database_pool_size, config.max_in_flight), (16, 512));
    assert_eq!((config.cors_origins, config.warnings), (vec![], vec![]));
    assert_eq!((config.trusted_proxies, config.metrics_allow), Default::default());
}

#[test]
fn the_limits_are_those_of_the_rest_contract() {
    let Config { rates, quotas, .. } = parse(&[]).unwrap();
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    assert_eq!(
        rates,
        Rates {
            unknown_codes: rate("10/m"),
            joins: rate("600/m"),
            failed_logins: rate("10/15m"),
            failed_logins_by_address: rate("60/m"),
            registrations: rate("300/h"),
            refreshes: rate("30/m"),
            chat: rate("20/s burst 50"),
            uploads: rate("60/m"),
            requests: rate("50/s burst 200"),
            requests_by_address: rate("1000/s"),
        }
    );
    assert_eq!((quotas.person_media.get(), quotas.person_bytes), (300, 3_000_000_000));
    assert_eq!(quotas.party_bytes, 50_000_000_000);
    assert_eq!((quotas.open_uploads.get(), quotas.archives.get()), (5, 1));
}

#[test]
fn each_environment_has_its_own_defaults() {
    for (environment, host, delay) in [("staging", "0.0.0.0", 5), ("production", "0.0.0.0", 5)] {
        let config = deployed(environment, &[]).unwrap();
        assert_eq!(config.environment.as_str(), environment);
        assert_eq!((config.host.to_string().as_str(), config.drain_delay.as_secs()), (host, delay));
    }
    assert_eq!(parse(&[("APP_ENV", "test")]).unwrap().drain_delay, Duration::ZERO);
}

#[test]
fn node_env_stands_in_for_app_env_only() {
    assert_eq!(parse(&[("NODE_ENV", "test")]).unwrap().environment, Environment::Test);
    assert_eq!(
        parse(&[("NODE_ENV", "production"), ("APP_ENV", "test")]).unwrap().environment,
        Environment::Test
    );
    assert_eq!(parse(&[("NODE_ENV", "junk"), ("APP_ENV", "test")]).unwrap().environment, Environment::Test);
    assert_eq!(parse(&[("NODE_ENV", "test"), ("APP_ENV", " ")]).unwrap().environment, Environment::Test);
    assert_eq!(names(parse(&[("NODE_ENV", "prod")])), ["NODE_ENV"]);
}

#[test]
fn staging_and_production_name_everything_they_miss() {
    for environment in ["staging", "production"] {
        let missing = parse(&[("APP_ENV", environment)]).unwrap_err();
        let by_name: BTreeSet<_> = missing.iter().map(Problem::variable).collect();
        assert_eq!(by_name, REQUIRED.iter().map(|(name, _)| *name).collect());
        assert!(missing.to_string().contains(&format!("JWT_SECRET: required in {environment}")));
        for (name, _) in REQUIRED {
            assert_eq!(names(deployed(environment, &[(name, "")])), [name], "an empty value is none");
        }
    }
}

#[test]
fn the_public_url_follows_the_port_where_it_is_not_given() {
    assert_eq!(parse(&[("PORT", "8080")]).unwrap().public_url.link("/x"), "http://localhost:8080/x");
    let given = parse(&[("PORT", "8080"), ("PUBLIC_URL", "https://p.example")]).unwrap();
    assert_eq!(given.public_url.link("/x"), "https://p.example/x");
}

#[test]
fn every_bad_value_is_named_everywhere() {
    for (name, value) in [
        ("HOST", "localhost"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "http"),
        ("PUBLIC_URL", "party.example"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://h/d"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOL_SIZE", "1001"),
        ("REDIS_URL", "redis+unix:///run/redis.sock"),
        ("STORAGE_URL", "/srv/media"),
        ("AUTH_PROVIDER", "github"),
        ("AUTH_PROVIDER", "local,"),
        ("JWT_SECRET", "short"),
        ("CORS_ORIGIN", "https://a.example/path"),
        ("CORS_ORIGIN", "*"),
        ("TRUSTED_PROXIES", "10.0.0.0/40"),
        ("METRICS_ALLOW", "everyone"),
        ("OPERATOR_TOKEN", "fifteen letters"),
        ("OPERATOR_TOKEN", "sixteen letters!! but with spaces"),
        ("READY_REQUIRES", "database,mail"),
        ("HEALTH_INTERVAL", "0"),
        ("HEALTH_INTERVAL", "2m"),
        ("HEALTH_INTERVAL", "often"),
        ("DRAIN_DELAY", "6m"),
        ("SHUTDOWN_TIMEOUT", "0s"),
        ("EVENT_RETENTION", "1ms"),
        ("RETENTION_DAYS", "30d"),
        ("MAX_IN_FLIGHT", "0"),
        ("RATE_CHAT", "20"),
        ("RATE_REQUESTS", "0/s"),
        ("QUOTA_PERSON_MEDIA", "0"),
        ("QUOTA_PARTY_BYTES", "lots"),
        ("DATA_DIR", "bad\u{fffd}bytes"),
    ] {
        assert_eq!(names(parse(&[(name, value)])), [name], "{name}={value}");
        assert_eq!(names(deployed("production", &[(name, value)])), [name], "{name}={value}");
    }
}

#[test]
fn an_unknown_environment_is_one_problem_beside_the_others() {
    assert_eq!(names(parse(&[("APP_ENV", "prod"), ("PORT", "x")])), ["APP_ENV", "PORT"]);
    assert_eq!(names(parse(&[("APP_ENV", "Production")])), ["APP_ENV"]);
}

#[test]
fn the_drain_delay_ends_before_the_shutdown_does() {
    assert_eq!(names(parse(&[("DRAIN_DELAY", "30s")])), ["DRAIN_DELAY"]);
    assert_eq!(names(deployed("staging", &[("SHUTDOWN_TIMEOUT", "5s")])), ["DRAIN_DELAY"]);
    assert!(deployed("staging", &[("SHUTDOWN_TIMEOUT", "5s"), ("DRAIN_DELAY", "4s")]).is_ok());
}

#[test]
fn firebase_needs_its_project_and_pushes_need_a_whole_account() {
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----\\n";
    let (project, email, key) = (
        ("FIREBASE_PROJECT_ID", "party-1"),
        ("FIREBASE_CLIENT_EMAIL", "push@party-1.iam.gserviceaccount.com"),
        ("FIREBASE_PRIVATE_KEY", KEY),
    );
    let both = ("AUTH_PROVIDER", "local, firebase");

    assert_eq!(names(parse(&[both])), ["FIREBASE_PROJECT_ID"]);
    assert_eq!(names(parse(&[email, key])), ["FIREBASE_PROJECT_ID"]);
    assert_eq!(names(parse(&[project, email])), ["FIREBASE_PRIVATE_KEY"]);
    assert_eq!(names(parse(&[project, key])), ["FIREBASE_CLIENT_EMAIL"]);
    assert_eq!(names(parse(&[both, key])), ["FIREBASE_PROJECT_ID", "FIREBASE_CLIENT_EMAIL"]);
    for (name, bad) in [
        ("FIREBASE_PROJECT_ID", "Party 1"),
        ("FIREBASE_CLIENT_EMAIL", "push"),
        ("FIREBASE_PRIVATE_KEY", "abc"),
    ] {
        assert_eq!(names(parse(&[project, email, key, (name, bad)])), [name]);
    }

    let config = parse(&[both, project]).unwrap();
    assert_eq!(config.auth, Auth { local: true, firebase: Some("party-1".into()) });
    assert_eq!(config.push, None);
    let config = parse(&[project, email, key]).unwrap();
    assert_eq!(config.auth, Auth { local: true, firebase: None });
    let push = config.push.unwrap();
    assert!(push.private_key.expose().starts_with("-----BEGIN PRIVATE KEY-----\nabc\n"));
}

#[test]
fn plain_lines_to_other_machines_are_warned_of_and_nothing_else_is() {
    let config =
        deployed("production", &[("REDIS_URL", "redis://cache"), ("DATABASE_URL", "postgres://db/d")])
            .unwrap();
    assert_eq!(
        config.warnings.iter().map(|warning| warning.variable).collect::<Vec<_>>(),
        ["DATABASE_URL", "REDIS_URL"]
    );
    assert_eq!(deployed("production", &[]).unwrap().warnings, []);
    let encrypted = [("REDIS_URL", "rediss://cache"), ("DATABASE_URL", "postgres://db/d?sslmode=require")];
    assert_eq!(deployed("production", &encrypted).unwrap().warnings, []);
}

#[test]
fn lists_are_read_whole() {
    let config = parse(&[
        ("CORS_ORIGIN", "https://A.example, http://localhost:5173/"),
        ("READY_REQUIRES", "storage, database"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1"),
        ("JWT_SECRET", &format!("{SECRET},{SECRET}!")),
    ])
    .unwrap();
    let origins: Vec<_> = config.cors_origins.iter().map(Origin::as_str).collect();
    assert_eq!(origins, ["https://a.example", "http://localhost:5173"]);
    assert_eq!(config.ready_requires, BTreeSet::from([Dependency::Database, Dependency::Storage]));
    assert!(config.trusted_proxies.contains("192.0.2.1".parse().unwrap()));
    assert_eq!(config.jwt_secrets.unwrap().verifying().count(), 2);
}

#[test]
fn no_value_of_a_secret_is_ever_printed() {
    const CANARY: &str = "canary-canary-canary-canary-canary";
    let url = |scheme: &str| format!("{scheme}://u:{CANARY}@localhost");
    let (database, redis, storage) = (url("postgres"), url("redis"), url("s3"));
    let key = format!("-----BEGIN PRIVATE KEY-----\\n{CANARY}\\n-----END PRIVATE KEY-----");
    let config = deployed(
        "production",
        &[
            ("DATABASE_URL", &database),
            ("REDIS_URL", &redis),
            ("STORAGE_URL", &storage),
            ("JWT_SECRET", CANARY),
            ("OPERATOR_TOKEN", CANARY),
            ("FIREBASE_PROJECT_ID", "party"),
            ("FIREBASE_CLIENT_EMAIL", "push@party.example"),
            ("FIREBASE_PRIVATE_KEY", &key),
        ],
    )
    .unwrap();
    assert!(!format!("{config:?}{config:#?}").contains("canary"));
}

#[test]
fn no_problem_ever_prints_a_value() {
    // A value that no variable but the free ones takes
    let canary = "\u{1f}canary=?#/:,";
    let all_bad: BTreeMap<_, _> = all().map(|variable| (variable.name, canary)).collect();
    let problems = Config::parse(|name| all_bad.get(name).map(|value| (*value).to_owned())).unwrap_err();
    let told: BTreeSet<_> = problems.iter().map(Problem::variable).collect();
    let expected = all_bad.keys().copied().filter(|name| !["NODE_ENV", "DATA_DIR"].contains(name)).collect();
    assert_eq!(told, expected, "every variable is checked, and all problems come at once");
    assert!(!format!("{problems}{problems:?}").contains("canary"));
}

#[test]
fn every_variable_that_is_read_is_in_the_table_and_the_other_way_round() {
    let asked = RefCell::new(BTreeSet::new());
    let _ = Config::parse(|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    });
    assert_eq!(asked.into_inner(), all().map(|variable| variable.name.to_owned()).collect());
}

#[test]
fn every_documented_default_is_the_real_one() {
    for environment in
        [Environment::Development, Environment::Test, Environment::Staging, Environment::Production]
    {
        let mut given = vec![("APP_ENV", environment.as_str())];
        if !environment.is_local() {
            given.extend(REQUIRED);
        }
        let implied = parse(&given).unwrap();
        given.extend(all().filter(|v| v.name != "APP_ENV").filter_map(|variable| {
            match variable.fallback(environment) {
                Fallback::Value(text) => Some((variable.name, text)),
                Fallback::Nothing | Fallback::Required => None,
            }
        }));
        assert_eq!(parse(&given).unwrap(), implied, "{environment}");
    }
}

/// `.env.example` as the table has it, without compose's own section.
fn example() -> String {
    let mut text =
        "# Copy to .env. A line that is commented out shows its default; an empty value is no value.\n"
            .to_owned();
    for section in SECTIONS {
        text += &format!("\n# ---- {}\n", section.title);
        for variable in section.variables {
            text += "\n";
            for line in variable.doc {
                text += &format!("#{line}\n");
            }
            let (local, deployed) =
                (variable.fallback(Environment::Development), variable.fallback(Environment::Production));
            match deployed {
                Fallback::Required => text += "# Required in staging and production.\n",
                Fallback::Value(value) if deployed != local => {
                    text += &format!("# In staging and production: {value}\n");
                }
                Fallback::Value(_) | Fallback::Nothing => {}
            }
            text += &match local {
                Fallback::Value(value) => format!("# {}={value}\n", variable.name),
                Fallback::Nothing | Fallback::Required => format!("{}=\n", variable.name),
            };
        }
    }
    text
}

#[test]
fn the_example_file_is_the_table_in_print() {
    let written = include_str!("../../.env.example");
    let (ours, compose) = written.split_once("\n# ---- Compose").expect("a last section that compose reads");
    assert_eq!(ours, example(), "\n.env.example should be:\n{}", example());
    let names: Vec<_> = compose
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["COMPOSE_FILE", "IMAGE", "BACKUP_IMAGE", "SERVER_NAME", "POSTGRES_PASSWORD"]);
    assert!(compose.contains("\nCOMPOSE_FILE=docker-compose.dev.yml\n"));
}
