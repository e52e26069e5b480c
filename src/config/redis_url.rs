//! Where Redis is.

use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use super::database_url::is_loopback;
use super::problem::Expected;
use super::secret::Secret;

/// `REDIS_URL`: one server or a cluster. A URL may hold a password, so it prints as `***`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisUrl {
    /// `redis://` or `rediss://` (TLS).
    Server(Secret<Url>),
    /// `redis+cluster://` or `rediss+cluster://`: some of a cluster's nodes, each as `redis://` or `rediss://`.
    Cluster(Vec<Secret<Url>>),
    /// The socket of the embedded server; no text of the environment parses to it.
    Socket(PathBuf),
}

impl RedisUrl {
    /// True when what is said may cross a network unencrypted.
    pub(super) fn is_plain_beyond_loopback(&self) -> bool {
        let exposed = |url: &Secret<Url>| {
            let url = url.expose();
            url.scheme() == "redis" && !url.host_str().is_some_and(is_loopback)
        };
        match self {
            Self::Server(url) => exposed(url),
            Self::Cluster(urls) => urls.iter().any(exposed),
            Self::Socket(_) => false,
        }
    }
}

impl FromStr for RedisUrl {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        read(text).ok_or(Expected::new(
            "a URL such as redis://:password@host:6379/0, rediss://host or redis+cluster://host1:6379,host2:6379",
        ))
    }
}

fn read(text: &str) -> Option<RedisUrl> {
    let (scheme, rest) = text.split_once("://")?;
    match scheme {
        "redis" | "rediss" => {
            let url = Url::parse(text).ok()?;
            fits(&url).then(|| RedisUrl::Server(Secret::new(url)))
        }
        "redis+cluster" => cluster("redis", rest),
        "rediss+cluster" => cluster("rediss", rest),
        _ => None,
    }
}

fn cluster(scheme: &str, rest: &str) -> Option<RedisUrl> {
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
    let node = |host: &str| {
        let at = if user.is_some() { "@" } else { "" };
        let url = Url::parse(&format!("{scheme}://{}{at}{host}{tail}", user.unwrap_or_default())).ok()?;
        // A cluster has the database 0 only
        (fits(&url) && matches!(url.path(), "" | "/" | "/0")).then(|| Secret::new(url))
    };
    hosts.split(',').map(node).collect::<Option<_>>().map(RedisUrl::Cluster)
}

/// A host, at most a database's number as its path, and no fragment: `#insecure` would switch TLS's checks off.
fn fits(url: &Url) -> bool {
    let database = url.path().trim_start_matches('/');
    url.host_str().is_some_and(|host| !host.is_empty() && !host.contains(','))
        && (database.is_empty() || database.parse::<u8>().is_ok())
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(text: &str) -> Vec<String> {
        match text.parse() {
            Ok(RedisUrl::Server(url)) => vec![url.expose().to_string()],
            Ok(RedisUrl::Cluster(urls)) => urls.iter().map(|url| url.expose().to_string()).collect(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn one_server_is_one_url() {
        for text in [
            "redis://localhost:6379",
            "rediss://u:p@cache.example:6380/3",
            "redis://[::1]/",
            "redis://h?protocol=resp3",
        ] {
            assert_eq!(nodes(text), [text]);
        }
    }

    #[test]
    fn a_cluster_is_a_url_for_each_node() {
        assert_eq!(nodes("redis+cluster://a:1,b:2,c"), ["redis://a:1", "redis://b:2", "redis://c"]);
        assert_eq!(nodes("rediss+cluster://u:p@a,b/0"), ["rediss://u:p@a/0", "rediss://u:p@b/0"]);
        assert_eq!(nodes("redis+cluster://a"), ["redis://a"]);
    }

    #[test]
    fn what_is_no_redis_is_refused() {
        for text in [
            "",
            "localhost:6379",
            "redis://",
            "redis:host",
            "http://h",
            "redis://a,b",
            "redis://h/x",
            "redis://h/256",
            "rediss://h/#insecure",
            "redis+cluster://",
            "redis+cluster://a,,b",
            "redis+cluster://a,b/1",
            "redis+unix:///run/redis.sock",
            "unix:///run/redis.sock",
            "REDIS+cluster://a",
        ] {
            assert!(text.parse::<RedisUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_an_unencrypted_line_to_another_machine_is_doubtful() {
        for (text, doubtful) in [
            ("redis://localhost", false),
            ("redis://127.0.0.1:6379", false),
            ("redis://[::1]", false),
            ("rediss://cache", false),
            ("redis://cache", true),
            ("redis+cluster://localhost,cache", true),
            ("rediss+cluster://a,b", false),
        ] {
            assert_eq!(text.parse::<RedisUrl>().unwrap().is_plain_beyond_loopback(), doubtful, "{text}");
        }
        assert!(!RedisUrl::Socket("/run/redis.sock".into()).is_plain_beyond_loopback());
    }
}
