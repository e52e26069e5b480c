//! A real cluster of the test's own: three masters, each with a replica, on ports of loopback; it goes with the test.

use std::{
    fs::File,
    net::TcpListener,
    process::{Child, Command},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

/// How many masters there are, and as many replicas: node `n + MASTERS` begins as the replica of node `n`.
pub(crate) const MASTERS: usize = 3;
/// Where the slots of the masters begin.
const FIRST_SLOTS: [u16; MASTERS + 1] = [0, 5_461, 10_923, 16_384];
/// Silence of a node after which the others take it for gone.
const NODE_TIMEOUT: &str = "2000";
/// Only a test that fails takes it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What encrypts it: where a certificate for 127.0.0.1, its key and its authority are.
pub(crate) struct Encryption {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) authority: String,
}

pub(crate) struct Cluster {
    home: TempDir,
    nodes: Vec<Node>,
    encryption: Option<Encryption>,
}

struct Node {
    port: u16,
    bus: u16,
    child: Option<Child>,
}

impl Cluster {
    /// Starts one and waits until all its nodes know each other and their slots.
    pub(crate) async fn running() -> Self {
        Self::start(None).await
    }

    /// The same, and nobody speaks in the clear.
    pub(crate) async fn encrypted(encryption: Encryption) -> Self {
        Self::start(Some(encryption)).await
    }

    async fn start(encryption: Option<Encryption>) -> Self {
        let nodes = free_ports(4 * MASTERS);
        let nodes = nodes.chunks(2).map(|ports| Node { port: ports[0], bus: ports[1], child: None });
        let mut cluster = Self { home: tempfile::tempdir().unwrap(), nodes: nodes.collect(), encryption };
        cluster.start_again().await;
        cluster.unite().await;
        cluster
    }

    /// Where its nodes are, as `REDIS_URL` names them.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.encryption.is_some() { "rediss" } else { "redis" };
        let nodes: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("{scheme}+cluster://{}", nodes.join(","))
    }

    /// A URL of each node.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("redis://127.0.0.1:{}", node.port)).collect()
    }

    /// Starts all nodes that do not run, on what they remember, and waits until they answer.
    pub(crate) async fn start_again(&mut self) {
        for at in 0..self.nodes.len() {
            if self.nodes[at].child.is_none() {
                let child = self.launch(at);
                self.nodes[at].child = Some(child);
            }
        }
        for at in 0..self.nodes.len() {
            self.until("a node answers", async || self.ask(at, &["PING"]).trim() == "PONG").await;
        }
    }

    fn launch(&self, at: usize) -> Child {
        let Node { port, bus, .. } = &self.nodes[at];
        let directory = self.home.path().join(port.to_string());
        std::fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--cluster-enabled", "yes"]);
        command.args(["--cluster-node-timeout", NODE_TIMEOUT, "--cluster-replica-validity-factor", "0"]);
        command.args(["--cluster-allow-replica-migration", "no", "--repl-diskless-sync-delay", "0"]);
        command.args(["--cluster-port", &bus.to_string()]);
        if let Some(Encryption { certificate, key, authority }) = &self.encryption {
            command.args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
            command.args(["--tls-cluster", "yes", "--tls-replication", "yes"]);
            command.args(["--tls-cert-file", certificate, "--tls-key-file", key]);
            command.args(["--tls-ca-cert-file", authority]);
        } else {
            command.args(["--port", &port.to_string()]);
        }
        let log = File::create(directory.join("redis.log")).unwrap();
        let command = command.current_dir(&directory).stdout(log);
        command.spawn().expect("redis-server is needed to test what depends on it")
    }

    async fn unite(&self) {
        for (at, slots) in FIRST_SLOTS.windows(2).enumerate() {
            let (first, last) = (slots[0].to_string(), (slots[1] - 1).to_string());
            self.ask(at, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        }
        for (at, node) in self.nodes.iter().enumerate() {
            self.ask(at, &["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]);
            self.ask(0, &["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), &node.bus.to_string()]);
        }
        for at in MASTERS..self.nodes.len() {
            let master = self.id(at - MASTERS);
            self.until("a replica takes its master", async || {
                self.ask(at, &["CLUSTER", "REPLICATE", &master]).trim() == "OK"
            })
            .await;
        }
        self.whole().await;
    }

    /// Waits until all nodes run, have found each other, and every master has a replica that is up to date.
    pub(crate) async fn whole(&self) {
        for at in 0..self.nodes.len() {
            self.until("the cluster is whole", async || {
                let info = self.ask(at, &["CLUSTER", "INFO"]);
                let nodes = self.ask(at, &["CLUSTER", "NODES"]);
                let role = self.ask(at, &["INFO", "replication"]);
                info.contains("cluster_state:ok")
                    && !nodes.contains("fail")
                    && nodes.matches(" connected").count() == self.nodes.len()
                    && nodes.matches("slave").count() == MASTERS
                    && (role.contains("role:master") && role.contains("state=online")
                        || role.contains("master_link_status:up"))
            })
            .await;
        }
    }

    /// The node that has the slot of `key` now, as those that run tell.
    pub(crate) fn master_of(&self, key: &str) -> usize {
        self.finds_master_of(key).expect("a master has it")
    }

    /// The same, if there is one.
    pub(crate) fn finds_master_of(&self, key: &str) -> Option<usize> {
        let slot: u16 = self.ask(self.awake(), &["CLUSTER", "KEYSLOT", key]).trim().parse().unwrap();
        let nodes = self.ask(self.awake(), &["CLUSTER", "NODES"]);
        let has = |line: &&str| {
            line.contains("master")
                && !line.contains("fail")
                && line.split(' ').skip(8).any(|range| {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    let bound = |text: &str| text.trim().parse::<u16>().ok();
                    bound(first).zip(bound(last)).is_some_and(|(first, last)| (first..=last).contains(&slot))
                })
        };
        let line = nodes.lines().find(has)?;
        let at = |node: &Node| line.contains(&format!(":{}@", node.port));
        self.nodes.iter().position(at)
    }

    /// Gives the slot of `key` to another master; there are no keys in it.
    pub(crate) fn give_away(&self, key: &str) {
        let slot = self.ask(self.awake(), &["CLUSTER", "KEYSLOT", key]);
        let (from, slot) = (self.master_of(key), slot.trim());
        let to = (from + 1) % MASTERS;
        let (giver, taker) = (self.id(from), self.id(to));
        self.ask(to, &["CLUSTER", "SETSLOT", slot, "IMPORTING", &giver]);
        self.ask(from, &["CLUSTER", "SETSLOT", slot, "MIGRATING", &taker]);
        for at in [to, from] {
            assert_eq!(self.ask(at, &["CLUSTER", "SETSLOT", slot, "NODE", &taker]).trim(), "OK");
        }
    }

    /// The replica takes over from its master, which lives and agrees.
    pub(crate) fn hand_over(&self, replica: usize) {
        assert_eq!(self.ask(replica, &["CLUSTER", "FAILOVER"]).trim(), "OK");
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, at: usize) {
        if let Some(mut child) = self.nodes[at].child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGKILL, all of them.
    pub(crate) fn kill_all(&mut self) {
        (0..self.nodes.len()).for_each(|at| self.kill(at));
    }

    /// SIGSTOP or SIGCONT: it hangs without a word, its sockets open, or goes on.
    pub(crate) fn signal(&self, at: usize, signal: &str) {
        let pid = self.nodes[at].child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    fn awake(&self) -> usize {
        self.nodes.iter().position(|node| node.child.is_some()).expect("a node runs")
    }

    fn id(&self, at: usize) -> String {
        self.ask(at, &["CLUSTER", "MYID"]).trim().to_owned()
    }

    /// What a node answers; nothing if it does not.
    pub(crate) fn ask(&self, at: usize, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.nodes[at].port.to_string()]);
        if let Some(Encryption { authority, .. }) = &self.encryption {
            command.args(["--tls", "--cacert", authority]);
        }
        String::from_utf8(command.args(words).output().unwrap().stdout).unwrap()
    }

    async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds().await {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// All are held until all are had, so that no two are the same.
fn free_ports(many: usize) -> Vec<u16> {
    let held: Vec<_> = (0..many).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}
