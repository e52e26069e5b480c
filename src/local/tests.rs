//! Both servers, for real: these tests need them installed, and as root they drop the uid.

use std::{
    env, fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    os::unix::process::CommandExt,
    process::Command,
    time::Duration,
};

use futures_util::FutureExt as _;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tokio_postgres::NoTls;

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
fn path() -> std::ffi::OsString {
    env::var_os("PATH").unwrap()
}

/// A directory that an unprivileged user can enter.
fn directory() -> TempDir {
    tempfile::Builder::new().prefix("pg-").permissions(fs::Permissions::from_mode(0o711)).tempdir().unwrap()
}

fn postgres(directory: &TempDir) -> PostgresConfig {
    let programs = PostgresPrograms::find(&path()).unwrap();
    PostgresConfig {
        directory: directory.path().join("postgres"),
        programs,
        fsync: false,
        settings: Vec::new(),
    }
}

fn redis(directory: &TempDir) -> RedisConfig {
    let program = RedisProgram::find(&path()).unwrap();
    RedisConfig { directory: directory.path().join("redis"), program, settings: Vec::new() }
}

/// The first column of the first row that `statement` gives.
async fn query(server: &Server, statement: &str) -> String {
    let (client, connection) = tokio_postgres::connect(server.url(), NoTls).await.unwrap();
    tokio::select! {
        row = client.query_one(statement, &[]) => row.unwrap().get(0),
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
}

#[tokio::test]
async fn postgres_starts_answers_stops_and_starts_again_with_its_data() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let config = postgres(&directory);
    let mut server = config.start(&launcher, DEADLINE).await.unwrap();
    assert_eq!(query(&server, "SELECT current_database()::text").await, "party_gallery");
    let (client, connection) = tokio_postgres::connect(server.url(), NoTls).await.unwrap();
    tokio::select! {
        done = client.batch_execute("CREATE TABLE kept AS SELECT 'still here' AS word") => done.unwrap(),
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
    let stopped = server.stop(DEADLINE).await.unwrap();
    assert!(stopped.status.success() && !stopped.killed, "{stopped:?}");
    drop(server);

    let mut server = config.start(&launcher, DEADLINE).await.unwrap();
    assert_eq!(query(&server, "SELECT word FROM kept").await, "still here");
    server.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn redis_starts_answers_stops_and_starts_again() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let config = redis(&directory);
    for _ in 0..2 {
        let mut server = config.start(&launcher, DEADLINE).await.unwrap();
        let mut client = ::redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        let answer: String = ::redis::cmd("ECHO").arg("hello").query(&mut client).unwrap();
        assert_eq!(answer, "hello");
        let stopped = server.stop(DEADLINE).await.unwrap();
        assert!(stopped.status.success() && !stopped.killed, "{stopped:?}");
    }
}

#[tokio::test]
async fn root_runs_the_servers_as_somebody_else() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let mut server = redis(&directory).start(&launcher, DEADLINE).await.unwrap();
    let pid = server.pid().unwrap().unwrap();
    let ours = fs::metadata("/proc/self").unwrap().uid();
    let its = fs::metadata(format!("/proc/{pid}")).unwrap().uid();
    if ours == 0 {
        assert_ne!(its, 0)
    } else {
        assert_eq!(its, ours)
    }
    let home = fs::metadata(directory.path().join("redis")).unwrap();
    assert_eq!((home.uid(), home.permissions().mode() & 0o777), (its, 0o700));
}

#[tokio::test]
async fn a_second_run_is_refused() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let config = redis(&directory);
    let server = config.start(&launcher, DEADLINE).await.unwrap();
    let refused = config.start(&launcher, DEADLINE).await.unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    drop(server);
    config.start(&launcher, DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_socket_path_that_is_too_long_is_refused_before_anything_is_made() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let mut config = postgres(&directory);
    config.directory.push("d".repeat(100));
    let refused = config.start(&launcher, DEADLINE).await.unwrap_err();
    assert!(matches!(refused, Error::SocketPathTooLong { limit: 103.., bytes: 108.., .. }), "{refused}");
    assert!(!config.directory.join("pg").exists());
}

#[tokio::test]
async fn a_stale_postmaster_pid_does_not_keep_postgres_from_starting() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let config = postgres(&directory);
    let mut server = config.start(&launcher, DEADLINE).await.unwrap();
    let pid_file = directory.path().join("postgres/pg/postmaster.pid");
    let left_behind = fs::read_to_string(&pid_file).unwrap();
    let (was, rest) = left_behind.split_once('\n').unwrap();
    assert_eq!(was.parse().ok(), server.pid().unwrap());
    server.stop(DEADLINE).await.unwrap();
    drop(server);

    // The number now belongs to another program of the same user, which PostgreSQL alone would take for a postmaster
    let mut other = Command::new("sleep");
    other.arg("60");
    if let Some(owner) = fs::metadata(config.directory.join("pg")).ok().filter(|pg| pg.uid() != 0) {
        other.uid(owner.uid());
    }
    let mut other = other.spawn().unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", other.id())).unwrap();
    let started = config.start(&launcher, DEADLINE).await;
    other.kill().unwrap();
    other.wait().unwrap();
    let mut server = started.unwrap();
    assert_eq!(query(&server, "SELECT 'up'").await, "up");
    server.stop(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_server_that_outlives_its_run_is_waited_for() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let config = redis(&directory);
    let home = directory.path().join("redis");
    fs::create_dir(&home).unwrap();
    // A process that goes by that name and does not end
    let impostor = directory.path().join("redis-server");
    fs::copy("/bin/sleep", &impostor).unwrap();
    let mut impostor = Command::new(impostor).arg("60").spawn().unwrap();
    fs::write(home.join("redis.pid"), impostor.id().to_string()).unwrap();
    let refused = config.start(&launcher, Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(refused, Error::StillRunning { .. }), "{refused}");

    let (started, ()) = tokio::join!(config.start(&launcher, DEADLINE), async {
        impostor.kill().unwrap();
        impostor.wait().unwrap();
    });
    started.unwrap();
}

#[tokio::test]
async fn what_keeps_a_server_from_starting_is_told() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let mut config = postgres(&directory);
    config.settings.push(("max_connections", "many".to_owned()));
    let refused = config.start(&launcher, DEADLINE).await.unwrap_err();
    assert!(matches!(&refused, Error::Ended { log, .. } if log.contains("max_connections")), "{refused}");
}

#[tokio::test]
async fn a_server_that_does_not_listen_to_reason_is_killed() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let mut server = redis(&directory).start(&launcher, DEADLINE).await.unwrap();
    server.signal(Signal::Stop).unwrap();
    assert_eq!(server.try_ended().unwrap(), None);
    assert!(server.stop(Duration::from_millis(50)).await.unwrap().killed);
    assert_eq!(server.pid().unwrap(), None);
}

/// Something that forks as fast as it can, as a PostgreSQL does that everybody connects to.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_was_just_forked_is_frozen_and_killed_too() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let family = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let ours = processes.filter(|process| {
            fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == directory.path())
        });
        let states = ours.filter_map(|process| process::stat(process.file_name().to_str()?.parse().ok()?));
        states.map(|(_name, state)| state).collect::<String>()
    };
    // A signal takes a moment to arrive, but never comes where nobody sent it
    let settles = async |what: &str, holds: fn(&str) -> bool| {
        let until = Instant::now() + Duration::from_secs(2);
        while !holds(&family()) {
            assert!(Instant::now() < until, "{what}: {}", family());
            sleep(Duration::from_millis(2)).await;
        }
    };
    for round in 0..40 {
        let mut command = Command::new("sh");
        command.args(["-c", "for n in $(seq 2000); do sleep 60 & done; wait"]).current_dir(directory.path());
        let mut process = process::Process::spawn(&launcher, command, Signal::Terminate).await.unwrap();
        settles("it forks", |family| family.len() > 5).await;
        if round % 2 == 0 {
            process.signal(Signal::Stop).unwrap();
            settles("all stand still", |family| family.chars().all(|state| state == 'T')).await;
        }
        drop(process);
        settles("all are gone", str::is_empty).await;
    }
}

#[tokio::test]
async fn the_end_of_a_server_is_noticed() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let mut server = redis(&directory).start(&launcher, DEADLINE).await.unwrap();
    unix::send(server.pid().unwrap().unwrap(), Signal::Kill).unwrap();
    let status = tokio::time::timeout(DEADLINE, server.ended()).await.unwrap().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGKILL));
}

#[tokio::test]
async fn a_child_that_nobody_takes_is_killed() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > number; exec sleep 60"]).current_dir(directory.path());
    let mut spawning = Box::pin(launcher.spawn(command));
    assert!(spawning.as_mut().now_or_never().is_none());
    let until = Instant::now() + DEADLINE;
    let pid: i32 = loop {
        let number = fs::read_to_string(directory.path().join("number")).unwrap_or_default();
        match number.trim().parse() {
            Ok(pid) => break pid,
            Err(_not_yet) => sleep(Duration::from_millis(2)).await,
        }
        assert!(Instant::now() < until, "it is not spawned");
    };
    // Spawned, and whoever wanted it has not looked
    drop(spawning);
    while unix::send(pid, Signal::Continue).is_ok() {
        assert!(Instant::now() < until, "it runs, or was not reaped");
        sleep(Duration::from_millis(2)).await;
    }
}

/// The kernel does it when the launcher's thread ends, as it does when the whole process is killed.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_ends_with_the_process_that_launched_it() {
    let (directory, launcher) = (directory(), Launcher::start().unwrap());
    let mut command = Command::new("sleep");
    command.arg("60").current_dir(directory.path());
    let mut child = launcher.spawn(command).await.unwrap();
    drop(launcher);
    let status = tokio::task::spawn_blocking(move || child.0.wait()).await.unwrap().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGINT));
}
