//! Where PostgreSQL is.

use std::net::IpAddr;
use std::str::FromStr;

use tokio_postgres::config::{Host, SslMode};

use super::problem::Expected;
use super::secret::Secret;

/// `DATABASE_URL`: parsed once, several hosts allowed; prints as `***`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseUrl(Secret<tokio_postgres::Config>);

impl DatabaseUrl {
    /// How to connect, password included.
    pub fn expose(&self) -> &tokio_postgres::Config {
        self.0.expose()
    }

    /// True when what is said may cross a network unencrypted.
    pub(super) fn is_plain_beyond_loopback(&self) -> bool {
        let config = self.expose();
        let encrypted = !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer);
        let near = |host: &Host| match host {
            Host::Tcp(name) => is_loopback(name),
            Host::Unix(_) => true,
        };
        // hostaddr, where given, is where the connection really goes
        let all_near = match config.get_hostaddrs() {
            [] => config.get_hosts().iter().all(near),
            addresses => addresses.iter().all(IpAddr::is_loopback),
        };
        !encrypted && !all_near
    }
}

/// True when a host's name or address is this machine itself.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for DatabaseUrl {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let config = if is_url { text.parse::<tokio_postgres::Config>().ok() } else { None };
        config
            .filter(|config| !(config.get_hosts().is_empty() && config.get_hostaddrs().is_empty()))
            .map(|config| Self(Secret::new(config)))
            .ok_or(Expected::new("a URL such as postgres://user:password@host:5432/database"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_make_one_database() {
        let url: DatabaseUrl =
            "postgresql://u:p@a:5432,b:5433/party?target_session_attrs=read-write".parse().unwrap();
        assert_eq!(url.expose().get_hosts().len(), 2);
        assert_eq!(url.expose().get_ports(), [5432, 5433]);
        assert_eq!(url.expose().get_dbname(), Some("party"));
    }

    #[test]
    fn what_is_no_database_is_refused() {
        for text in [
            "",
            "host=localhost",
            "mysql://h/d",
            "postgres:h",
            "postgres://h:port/d",
            "postgres://",
            "postgres:///d",
            "postgres://h/d?sslmode=maybe",
            "POSTGRES://h/d",
        ] {
            assert!(text.parse::<DatabaseUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_an_unencrypted_line_to_another_machine_is_doubtful() {
        for (text, doubtful) in [
            ("postgres://localhost/d", false),
            ("postgres://127.0.0.2/d", false),
            ("postgres://u@%2Frun%2Fpg/d", false),
            ("postgres://db/d?sslmode=require", false),
            ("postgres://db/d", true),
            ("postgres://db/d?sslmode=disable", true),
            ("postgres://localhost,db/d", true),
            ("postgres://localhost/d?hostaddr=192.0.2.1", true),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>().unwrap().is_plain_beyond_loopback(), doubtful, "{text}");
        }
    }
}
