//! The private PostgreSQL.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use tokio_postgres::{Config, NoTls, error::SqlState};

use super::{
    Error, Launcher, PostgresPrograms, Server, Signal, home::Home, percent_encode, process::Process,
    server::Starting,
};

/// The one role, a superuser: who can open the socket is us.
const USER: &str = "party_gallery";
/// The one database.
const DATABASE: &str = "party_gallery";
/// Only part of the socket's name.
const PORT: u16 = 5432;

/// A private PostgreSQL: where it lives, and how.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// Its directory; made if absent, and no other run may have it at the same time.
    pub directory: PathBuf,
    /// Its programs.
    pub programs: PostgresPrograms,
    /// Whether a commit survives the machine's crash (a crash of PostgreSQL it survives always). Off in tests only.
    pub fsync: bool,
    /// Further settings, such as `max_connections`.
    pub settings: Vec<(&'static str, String)>,
}

impl PostgresConfig {
    /// Where it listens, whether it runs or not.
    ///
    /// # Errors
    ///
    /// The kernel takes no path of that length.
    pub fn socket(&self) -> Result<PathBuf, Error> {
        Home::socket(&self.directory, &format!(".s.PGSQL.{PORT}"))
    }

    /// Where clients find it, whether it runs or not: what `tokio_postgres::Config` takes.
    ///
    /// # Errors
    ///
    /// As [`PostgresConfig::socket`].
    pub fn url(&self) -> Result<String, Error> {
        let socket = self.socket()?;
        let directory = socket.parent().unwrap_or(&socket);
        Ok(format!("postgres://{USER}@/{DATABASE}?host={}", percent_encode(directory, b"")))
    }

    /// Starts it, making its data directory and the database `party_gallery` the first time (a second; later 0.05 s), and
    /// returns when it has answered a query.
    pub async fn start(&self, launcher: &Launcher, deadline: Duration) -> Result<Server, Error> {
        let until = Instant::now() + deadline;
        let (socket, url) = (self.socket()?, self.url()?);
        let home = Home::take(&self.directory)?;
        let data = home.path().join("pg");
        if !data.exists() {
            self.init(&home, &data, launcher, until).await?;
        }
        let left = [data.join("postmaster.pid"), socket.with_added_extension("lock")];
        home.outlast_predecessor(&left.each_ref().map(PathBuf::as_path), "postgres", until).await?;

        let mut ours = Config::new();
        ours.host_path(home.path()).port(PORT).user(USER).dbname(DATABASE);
        let mut maintenance = ours.clone();
        maintenance.dbname("postgres");
        let command = self.command(&home, &data)?;
        // SIGINT: fast shutdown; open transactions are rolled back, nothing waits for idle clients
        let mut starting =
            Starting::spawn(("postgres", command), Signal::Interrupt, home, launcher, until).await?;
        let ready = async || match ask(&ours, "SELECT 1").await {
            Ok(()) => Some(Ok(())),
            Err(e) if e.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
                // Made now, or a reason why not; then asked again
                ask(&maintenance, &format!("CREATE DATABASE {DATABASE}")).await.err().map(Err)
            }
            Err(_not_yet) => None,
        };
        starting.answer(ready).await?.map_err(Error::Database)?;
        Ok(starting.into_server(socket, url))
    }

    /// Makes the data directory: under another name first, so that one is never half made.
    async fn init(&self, home: &Home, data: &Path, launcher: &Launcher, until: Instant) -> Result<(), Error> {
        let unfinished = data.with_extension("new");
        match fs::remove_dir_all(&unfinished) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io("clear pg.new")(e)),
            _ => {}
        }
        let mut command = home.command(&self.programs.initdb)?;
        command.arg("--pgdata").arg(&unfinished).args([
            "--username",
            USER,
            "--encoding=UTF8",
            "--no-instructions",
        ]);
        command.args(["--auth-local=trust", "--auth-host=reject", "--locale=C"]);
        // Upper and lower case beyond ASCII; each system has its own name for it
        command.arg(if cfg!(target_os = "macos") { "--lc-ctype=UTF-8" } else { "--lc-ctype=C.UTF-8" });
        if !self.fsync {
            command.arg("--no-sync");
        }
        let mut initdb =
            Process::spawn(launcher, command, Signal::Interrupt).await.map_err(Error::io("run initdb"))?;
        let status = timeout_at(until, initdb.ended())
            .await
            .map_err(|_elapsed| Error::NotReady { program: "initdb", log: home.last_words() })?
            .map_err(Error::io("wait for initdb"))?;
        if !status.success() {
            return Err(Error::Ended { program: "initdb", status, log: home.last_words() });
        }
        fs::rename(&unfinished, data).map_err(Error::io("rename pg.new"))?;
        if self.fsync {
            File::open(home.path())
                .and_then(|home| home.sync_all())
                .map_err(Error::io("sync the directory"))?;
        }
        Ok(())
    }

    fn command(&self, home: &Home, data: &Path) -> Result<Command, Error> {
        let mut command = home.command(&self.programs.postgres)?;
        // A list, in which quotes keep commas and spaces
        let sockets = format!("\"{}\"", home.path().display().to_string().replace('"', "\"\""));
        let (port, on_or_off) = (PORT.to_string(), if self.fsync { "on" } else { "off" });
        command.arg("-D").arg(data);
        let ours = [
            ("listen_addresses", ""),
            ("port", &port),
            ("unix_socket_directories", &sockets),
            ("unix_socket_permissions", "0700"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("fsync", on_or_off),
            ("full_page_writes", on_or_off),
        ];
        let further = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in ours.into_iter().chain(further) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        Ok(command)
    }
}

/// Has one statement executed on a connection of its own.
async fn ask(config: &Config, statement: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::select! {
        answered = client.batch_execute(statement) => answered,
        // Ends before the answer only when it fails
        ended = connection => ended,
    }
}
