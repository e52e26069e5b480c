//! The binary itself: what a signal does to it, and the code that it ends with.

use std::{env, fs, path::Path, process::Command};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::{TestApp, Victim},
    chaos_proxy::{ChaosProxy, Upstream},
    client,
    own::{OwnPostgres, OwnRedis},
    pictures,
    poll::eventually,
    process::{Process, SECRET},
    servers,
    stage::{Somebody, Stage},
    ws::WsClient,
};

const USERS: usize = 20;
/// As many as one user may have.
const SOCKETS_EACH: usize = 10;
const REQUESTS: usize = 20;

/// Sockets of as many users as it takes.
async fn sockets(address: std::net::SocketAddr, stage: &Stage) -> Vec<WsClient> {
    let mut sockets = Vec::new();
    for _ in 0..USERS {
        let user = stage.user().await;
        for _ in 0..SOCKETS_EACH {
            let headers = [("authorization", user.bearer.as_str())];
            sockets.push(WsClient::connect(address, "/ws", &headers).await.unwrap());
        }
    }
    sockets
}

/// A whole upload, as it goes over the line.
fn upload(party: Uuid, caller: &Somebody, file: &[u8]) -> Vec<u8> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n";
    let body = [head.as_bytes(), file, b"\r\n--b--\r\n"].concat();
    let request = format!(
        "POST /api/v1/parties/{party}/media HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
        caller.bearer,
        body.len()
    );
    [request.into_bytes(), body].concat()
}

#[tokio::test]
async fn sigterm_with_200_sockets_and_20_requests_open_ends_with_0() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let line = ChaosProxy::start(Upstream::Unix(redis.socket().to_owned())).await;
    let redis_url = format!("redis://{}", line.address());
    let mut pod = Process::serve(postgres.url(), &redis_url, &[("DRAIN_DELAY", "2s")]);
    let address = pod.address().await;
    pod.wait_for("Ready").await;
    let stage = Stage::shared(postgres.url(), SECRET);
    let mut sockets = sockets(address, &stage).await;
    // Uploads, of which each has begun
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (mut requests, mut rests) = (Vec::new(), Vec::new());
    for n in 0..REQUESTS {
        let upload = upload(party, &host, &pictures::salted_jpeg(320, 240, u32::try_from(n).unwrap() + 1));
        let (first, rest) = upload.split_at(upload.len() / 2);
        let mut request = TcpStream::connect(address).await.unwrap();
        request.write_all(first).await.unwrap();
        requests.push(request);
        rests.push(rest.to_vec());
    }
    eventually(DEADLINE, "the uploads are on their way", async || {
        let metrics = client::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
        // And this one itself
        metrics.contains(&format!("party_gallery_http_requests_in_flight {}", REQUESTS + 1))
    })
    .await;

    pod.signal("TERM");
    eventually(DEADLINE, "it drains", async || {
        let ready = client::get(format!("http://{address}/health/ready")).await.unwrap();
        ready.text().await.unwrap().contains("draining")
    })
    .await;
    // The rest of each comes only now
    for (request, rest) in requests.iter_mut().zip(rests) {
        request.write_all(&rest).await.unwrap();
    }
    for request in &mut requests {
        let mut answer = String::new();
        timeout(DEADLINE, request.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("connection: close"), "{answer}");
    }
    for socket in &mut sockets {
        socket.expect_event("server:draining", DEADLINE).await;
        assert_eq!(socket.expect_close(DEADLINE).await, 1012);
    }
    assert_eq!(pod.ended(DEADLINE).await, Some(0));
    let lines = pod.lines();
    let steps = lines.iter().filter(|line| line["message"] == "Drain");
    let mut steps: Vec<_> = steps.map(|line| line["step"].as_str().unwrap().to_owned()).collect();
    // These two go on together
    steps[1..3].sort();
    assert_eq!(steps, ["ready", "requests", "sockets", "jobs", "realtime", "redis", "database", "health"]);
}

/// In whose environment it is set is the pod of the test below, and keeps its data there.
const GIVES_UP: &str = "PARTY_GALLERY_TEST_GIVES_UP";

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "one test is two processes, and tells which by its environment"
)]
async fn an_essential_actor_that_gives_up_ends_the_process_with_70() {
    if let Some(data) = env::var_os(GIVES_UP) {
        give_up(Path::new(&data)).await;
    }
    let data = servers::directory("gives-up");
    // No binary that is shipped lets anybody hurt its actors: this one does
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "alone::process::an_essential_actor_that_gives_up_ends_the_process_with_70"]);
    command.arg("--nocapture").env(GIVES_UP, &data);
    let mut pod = Process::run(command);
    assert_eq!(pod.ended(DEADLINE).await, Some(70));
    for pid_file in ["postgres/pg/postmaster.pid", "redis/redis.pid"] {
        let left = fs::read_to_string(data.join(pid_file)).ok();
        let left = left.and_then(|text| text.lines().next().map(|pid| format!("/proc/{}", pid.trim())));
        assert!(!left.is_some_and(|left| Path::new(&left).exists()), "{pid_file}");
    }
    fs::remove_dir_all(data).unwrap();
}

/// A pod whose hub panics until it may not any more. Ends the process with the pod's own code.
#[expect(clippy::disallowed_methods, reason = "the exit code of a process of its own is asked for")]
async fn give_up(data: &Path) -> ! {
    let mut app = TestApp::start_alone(data, &[]).await;
    app.logs().wait_for("Ready", DEADLINE).await;
    for restarts in 1..=5_u64 {
        app.panic(Victim::Hub).await;
        let again = async || {
            let (_, health) = app.get("/health").await;
            let hub = &health["checks"]["realtime"];
            hub["restarts"] == restarts && hub["status"] == "healthy"
        };
        eventually(DEADLINE, "the hub is restarted", again).await;
    }
    app.panic(Victim::Hub).await;
    let exit = app.ended().await;
    std::process::exit(exit.code().into());
}
