//! Where Redis is and how much of it is used.

use std::{fmt, num::NonZeroU32, time::Duration};

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

/// Where Redis is. A URL may hold a password.
#[derive(Clone)]
pub enum Place {
    /// One server: `redis://`, `rediss://` (TLS, trusting what the machine trusts) or `unix:///path`.
    Server(String),
    /// A cluster: some of its nodes, each as `redis://` or `rediss://`, all with the same user and password.
    Cluster(Vec<String>),
}

/// Where Redis is and how much of it is used.
#[derive(Clone)]
pub struct Config {
    /// Where it is.
    pub place: Place,
    /// How many connections commands may use at once; on a cluster, to each of its nodes.
    pub pool_size: NonZeroU32,
    /// How long a command may take, the wait for its connection included.
    pub command_deadline: Duration,
}

/// The URL is not one of Redis. Its text is kept out: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a Redis server or cluster")]
pub struct BadUrl;

/// A [`Place`] that was read.
#[derive(Clone)]
pub(super) enum Hosts {
    Server(Box<ConnectionInfo>),
    /// Never empty.
    Cluster(Vec<ConnectionInfo>),
}

impl Config {
    /// Eight connections and 500 ms for the server at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self::at(Place::Server(url.into()))
    }

    /// Eight connections and 500 ms for what is at `place`.
    pub fn at(place: Place) -> Self {
        let pool_size = NonZeroU32::MIN.saturating_add(7);
        Self { place, pool_size, command_deadline: Duration::from_millis(500) }
    }

    pub(super) fn hosts(&self) -> Result<Hosts, BadUrl> {
        match &self.place {
            Place::Server(url) => read(url).map(|server| Hosts::Server(server.into())),
            Place::Cluster(urls) => {
                let nodes: Vec<_> = urls.iter().map(|url| read(url)).collect::<Result<_, _>>()?;
                // Of its nodes a cluster tells hosts and ports, and it has the database 0 only
                let fits = |node: &ConnectionInfo| {
                    !matches!(node.addr(), ConnectionAddr::Unix(_)) && node.redis_settings().db() == 0
                };
                if nodes.is_empty() || !nodes.iter().all(fits) {
                    Err(BadUrl)
                } else {
                    Ok(Hosts::Cluster(nodes))
                }
            }
        }
    }
}

fn read(url: &str) -> Result<ConnectionInfo, BadUrl> {
    // The driver's error may quote the URL
    url.into_connection_info().map_err(|_quotes_the_url| BadUrl)
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("place", &"***")
            .field("pool_size", &self.pool_size)
            .field("command_deadline", &self.command_deadline)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(urls: &[&str]) -> Config {
        Config::at(Place::Cluster(urls.iter().map(|url| (*url).to_owned()).collect()))
    }

    #[test]
    fn a_configuration_prints_no_password() {
        let config = Config::new("redis://guest:hunter2@localhost:6379/0");
        assert!(!format!("{config:?}").contains("hunter2"));
        let config = cluster(&["rediss://guest:hunter2@localhost:6379"]);
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn only_urls_of_redis_are_taken() {
        for url in ["redis://localhost", "rediss://:secret@redis.example:6380/1", "unix:///run/redis.sock"] {
            assert!(Config::new(url).hosts().is_ok(), "{url}");
        }
        for url in ["", "redis+cluster://a:1,b:2", "postgres://localhost", "redis.example:6379"] {
            assert_eq!(Config::new(url).hosts().err(), Some(BadUrl), "{url}");
        }
        assert!(cluster(&["redis://a:1", "redis://b:2"]).hosts().is_ok());
        for urls in [&[][..], &["redis://a", ""], &["redis://a/1"], &["unix:///run/redis.sock"]] {
            assert_eq!(cluster(urls).hosts().err(), Some(BadUrl), "{urls:?}");
        }
    }
}
