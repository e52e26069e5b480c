//! The private Redis: in memory only, for whatever is in Redis is a hint.

use std::{path::PathBuf, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::Instant,
};

use super::{Error, Launcher, RedisProgram, Server, Signal, home::Home, percent_encode, server::Starting};

/// A private Redis: where it lives.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// Its directory; made if absent, and no other run may have it at the same time.
    pub directory: PathBuf,
    /// Its program.
    pub program: RedisProgram,
    /// Further settings, such as `databases`.
    pub settings: Vec<(&'static str, String)>,
}

impl RedisConfig {
    /// Where it listens, whether it runs or not.
    ///
    /// # Errors
    ///
    /// The kernel takes no path of that length.
    pub fn socket(&self) -> Result<PathBuf, Error> {
        Home::socket(&self.directory, "redis.sock")
    }

    /// Where clients find it, whether it runs or not: what `redis::Client::open` takes.
    ///
    /// # Errors
    ///
    /// As [`RedisConfig::socket`].
    pub fn url(&self) -> Result<String, Error> {
        Ok(format!("redis+unix://{}", percent_encode(&self.socket()?, b"/")))
    }

    /// Starts it, and returns when it has answered a PING.
    pub async fn start(&self, launcher: &Launcher, deadline: Duration) -> Result<Server, Error> {
        let until = Instant::now() + deadline;
        let (socket, url) = (self.socket()?, self.url()?);
        let home = Home::take(&self.directory)?;
        let pid_file = home.path().join("redis.pid");
        home.outlast_predecessor(&[&pid_file], "redis-server", until).await?;

        let mut command = home.command(&self.program.0)?;
        command.args(["--port", "0", "--unixsocketperm", "700", "--save", "", "--appendonly", "no"]);
        command
            .arg("--unixsocket")
            .arg(&socket)
            .arg("--pidfile")
            .arg(&pid_file)
            .arg("--dir")
            .arg(home.path());
        for (name, value) in &self.settings {
            command.arg(format!("--{name}")).arg(value);
        }
        let mut starting =
            Starting::spawn(("redis-server", command), Signal::Terminate, home, launcher, until).await?;
        starting.answer(async || ping(&socket).await).await?;
        Ok(starting.into_server(socket, url))
    }
}

/// Whether Redis answers a PING on `socket`.
async fn ping(socket: &PathBuf) -> Option<()> {
    const PONG: &[u8] = b"+PONG\r\n";
    let mut redis = UnixStream::connect(socket).await.ok()?;
    redis.write_all(b"PING\r\n").await.ok()?;
    let mut answer = [0; PONG.len()];
    redis.read_exact(&mut answer).await.ok()?;
    (answer == PONG).then_some(())
}
