//! A pod in a process of its own whose hub can be made to panic: no binary that is shipped lets anybody do that, the
//! tests' own does.

use std::{
    env,
    ffi::OsStr,
    net::SocketAddr,
    process::{self, Command},
};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    DEADLINE,
    app::{TestApp, Victim},
    process::Process,
};

/// In whose environment it is set is such a pod; its value are the pod's variables, as JSON.
pub const VARIABLES: &str = "PARTY_GALLERY_TEST_POD";

/// Names and values of what a pod is started with.
pub type Variables = Vec<(String, String)>;

/// Starts one and waits until it is ready: this executable again, running `test` alone, which has to give itself over to
/// [`be`].
pub async fn ready(test: &str, variables: &Variables) -> (Process, SocketAddr) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command.env(VARIABLES, json!(variables).to_string());
    let pod = Process::run(command);
    pod.wait_for("Ready").await;
    let address = pod.address().await;
    (pod, address)
}

/// Its hub panics, soon.
pub fn hurt(pod: &Process) {
    pod.signal("USR1");
}

/// Serves, says so as the binary does, and ends with the pod's own code.
#[expect(clippy::disallowed_methods, reason = "the exit code of a process of its own is asked for")]
pub async fn be(variables: &OsStr) -> ! {
    let variables: Variables = serde_json::from_str(variables.to_str().unwrap()).unwrap();
    let given: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut hurt = signal(SignalKind::user_defined1()).unwrap();
    let mut end = signal(SignalKind::terminate()).unwrap();
    let of = |wanted: &str| given.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let mut app = TestApp::start(of("DATABASE_URL"), of("REDIS_URL"), &given).await;
    // The harness has begun a line of its own
    println!("\n{}", json!({ "message": "Started", "address": app.address() }));
    app.logs().wait_for("Ready", DEADLINE).await;
    println!("{}", json!({ "message": "Ready" }));
    loop {
        tokio::select! {
            _ = hurt.recv() => app.panic(Victim::Hub).await,
            _ = end.recv() => break,
        }
    }
    process::exit(app.stop().await.code().into());
}
