//! The program itself: its exit codes, and what it says before there is a log.

use std::process::{Command, Output};

use crate::support::{app::TestApp, servers};

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_party-gallery"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn bad_configuration_is_told_whole_by_name_and_without_values() {
    let output = run(&[], &[("APP_ENV", "production"), ("PORT", "hunter2"), ("REDIS_URL", "http://hunter2")]);
    assert_eq!(output.status.code(), Some(64));
    let told = String::from_utf8(output.stderr).unwrap();
    for name in ["PORT", "DATABASE_URL", "REDIS_URL", "STORAGE_URL", "PUBLIC_URL", "JWT_SECRET"] {
        assert!(told.contains(name), "{name} is not in: {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    assert!(told.ends_with('\n'), "the shell's prompt would follow on the same line: {told:?}");
    assert_eq!(run(&["frobnicate"], &[]).status.code(), Some(64));
}

#[tokio::test]
async fn a_healthcheck_exits_0_or_1_and_with_nothing_else() {
    let (postgres, redis) = (servers::postgres().await, servers::fresh_redis().await);
    let mut app = TestApp::start(postgres.url(), &redis, &[]).await;
    let port = app.address().port().to_string();
    assert_eq!(run(&["healthcheck"], &[("PORT", &port)]).status.code(), Some(0));
    app.stop().await;
    assert_eq!(run(&["healthcheck"], &[("PORT", &port)]).status.code(), Some(1));
    assert_eq!(run(&["healthcheck"], &[("PORT", "no port")]).status.code(), Some(1));
}
