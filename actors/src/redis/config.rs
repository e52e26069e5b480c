//! Where Redis is and how much of it is used.

use std::{fmt, num::NonZeroU32, time::Duration};

use redis::{ConnectionInfo, IntoConnectionInfo};

/// Where Redis is and how much of it is used.
#[derive(Clone)]
pub struct Config {
    /// `redis://`, `rediss://` (TLS, trusting what the machine trusts) or `unix:///path`. It may hold a password.
    pub url: String,
    /// How many connections commands may use at once.
    pub pool_size: NonZeroU32,
    /// How long a command may take, the wait for its connection included.
    pub command_deadline: Duration,
}

/// The URL is not one of a single Redis server. Its text is kept out: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a Redis server")]
pub struct BadUrl;

impl Config {
    /// Eight connections and 500 ms for the server at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        let pool_size = NonZeroU32::MIN.saturating_add(7);
        Self { url: url.into(), pool_size, command_deadline: Duration::from_millis(500) }
    }

    pub(super) fn server(&self) -> Result<ConnectionInfo, BadUrl> {
        // The driver's error may quote the URL
        self.url.as_str().into_connection_info().map_err(|_quotes_the_url| BadUrl)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &"***")
            .field("pool_size", &self.pool_size)
            .field("command_deadline", &self.command_deadline)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_prints_no_password() {
        let config = Config::new("redis://guest:hunter2@localhost:6379/0");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn only_urls_of_one_server_are_taken() {
        for url in ["redis://localhost", "rediss://:secret@redis.example:6380/1", "unix:///run/redis.sock"] {
            assert!(Config::new(url).server().is_ok(), "{url}");
        }
        for url in ["", "redis+cluster://a:1,b:2", "postgres://localhost", "redis.example:6379"] {
            assert_eq!(Config::new(url).server().err(), Some(BadUrl), "{url}");
        }
    }
}
