//! A Socket.IO 4 server on Node, of the versions that are named beside this.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    load::Server,
    socket::{Control, Hello},
    support::{
        DEADLINE,
        poll::eventually,
        process::{Process, spent},
    },
};

const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("package.json")),
    ("package-lock.json", include_str!("package-lock.json")),
    ("server.js", include_str!("server.js")),
];

/// Where it is installed, for as long as this lives.
pub struct SocketIo(TempDir);

impl SocketIo {
    /// Installs it, or tells why it cannot be.
    pub fn install() -> Result<Self, String> {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in FILES {
            fs::write(home.path().join(name), text).unwrap();
        }
        let mut command = Command::new("npm");
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(home.path());
        let installed = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match installed {
            Ok(status) if status.success() => Ok(Self(home)),
            Ok(status) => Err(format!("`npm ci` ended with {status}")),
            Err(error) => Err(format!("npm does not start: {error}")),
        }
    }

    /// Starts a server that sends the same as `frame`.
    pub async fn start(&self, frame: &str) -> Node {
        let mut data: Value = serde_json::from_str(frame).unwrap();
        let event = data.as_object_mut().and_then(|frame| frame.remove("event")).unwrap();
        let mut command = Command::new("node");
        command.arg("server.js").current_dir(self.0.path());
        command
            .env("FRAME", json!({ "event": event, "data": data }).to_string())
            .env("NODE_ENV", "production");
        let process = Process::run(command);
        let address = first_word(&process).await;
        let control = Control::connect(address, come("control"), "43").await;
        Node { process, address, control }
    }
}

/// The address that is the first that a process says.
pub async fn first_word(process: &Process) -> SocketAddr {
    let address = eventually(DEADLINE, "the process says where it listens", async || {
        process.lines().first().and_then(|line| line.as_str()?.parse().ok())
    });
    address.await
}

/// As Engine.IO and Socket.IO greet each other.
fn come(room: &str) -> Hello {
    let steps = vec![(None, "0{"), (Some("40".to_owned()), "40{")];
    Hello::new(&format!("/socket.io/?EIO=4&transport=websocket&room={room}"), "", steps)
}

/// One that runs.
pub struct Node {
    process: Process,
    address: SocketAddr,
    control: Control,
}

impl Server for Node {
    const DELIVERY: &'static str = r#"42["chat:new_message""#;

    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn open(&self, _: usize, _: usize) {}

    fn hello(&self, room: usize, _: usize) -> Hello {
        come(&room.to_string())
    }

    async fn say(&self, room: usize) {
        self.control.ask(&format!(r#"421["say","{room}"]"#)).await;
    }

    async fn attend(&self) {
        self.control.attend().await;
    }

    fn spent(&self) -> Duration {
        spent(self.process.id())
    }

    fn resident(&self) -> u64 {
        self.process.resident()
    }
}
