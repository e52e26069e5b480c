//! Who may see what is not for everybody: verbose health and metrics.

use std::{
    hint::black_box,
    net::{IpAddr, SocketAddr},
};

use actix_web::http::header::{self, HeaderMap};
use sha2::{Digest as _, Sha256};

use crate::config::{Networks, Secret};

/// Whatever carries one of these came through somebody else: loopback is then the proxy, not the caller.
const FORWARDING: [&str; 7] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

/// The rule for verbose health and metrics: from the machine itself, from a network that the operator named, or
/// with the operator's token.
#[derive(Clone, Debug)]
pub struct Access {
    trusted_proxies: Networks,
    metrics_allow: Networks,
    operator_token: Option<Secret<[u8; 32]>>,
}

impl Access {
    /// The rule as it is configured.
    pub fn new(
        trusted_proxies: Networks,
        metrics_allow: Networks,
        operator_token: Option<&Secret<String>>,
    ) -> Self {
        let operator_token = operator_token.map(|token| Secret::new(digest(token.expose())));
        Self { trusted_proxies, metrics_allow, operator_token }
    }

    /// Whether a request with these headers, from a socket with that peer, may see it.
    pub fn allows(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
        let ip = peer.map(|peer| client_address(peer, headers, &self.trusted_proxies));
        let is_direct = || FORWARDING.iter().all(|name| !headers.contains_key(*name));
        ip.is_some_and(|ip| (ip.is_loopback() && is_direct()) || self.metrics_allow.contains(ip))
            || self.knows(headers)
    }

    /// Whether they hold the operator's token.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
        match (&self.operator_token, given) {
            (Some(token), Some(given)) => is_same(token.expose(), &digest(given)),
            _ => false,
        }
    }
}

/// The address that a request is logged under: the socket's peer or, when that is a trusted proxy, the rightmost
/// address of `X-Forwarded-For` that is not one. What stands left of something unreadable is not believed. An IPv4
/// address in IPv6 clothes comes out as IPv4, so that one client is one address to logs, limits and networks.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut client = peer;
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").map(|line| line.to_str().unwrap_or_default()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(|hop| address(hop.trim()));
    while trusted.contains(client) {
        match hops.next() {
            Some(Some(hop)) => client = hop,
            _ => break,
        }
    }
    client.to_canonical()
}

fn address(hop: &str) -> Option<IpAddr> {
    hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Of one length whatever is hashed: comparing digests tells nothing of the token, not even how long it is.
fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Takes the same time wherever they differ.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
    difference == 0
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn access() -> Access {
        let token = Secret::new("correct horse".to_owned());
        Access::new("10.0.0.0/8".parse().unwrap(), "192.0.2.0/24".parse().unwrap(), Some(&token))
    }

    #[test]
    fn who_may_see_it() {
        for (peer, carried, allowed) in [
            ("127.0.0.1", vec![], true),
            ("127.8.0.1", vec![], true),
            ("::1", vec![], true),
            ("::ffff:127.0.0.1", vec![], true),
            ("127.0.0.1", vec![("x-forwarded-for", "203.0.113.9")], false),
            ("127.0.0.1", vec![("x-forwarded-for", "127.0.0.1")], false),
            ("::1", vec![("forwarded", "for=203.0.113.9")], false),
            ("127.0.0.1", vec![("x-real-ip", "203.0.113.9")], false),
            ("127.0.0.1", vec![("via", "1.1 proxy")], false),
            ("192.0.2.7", vec![], true),
            ("::ffff:192.0.2.7", vec![], true),
            ("192.0.3.7", vec![], false),
            ("203.0.113.9", vec![("x-forwarded-for", "192.0.2.7")], false),
            ("10.0.0.1", vec![("x-forwarded-for", "192.0.2.7")], true),
            ("10.0.0.1", vec![("x-forwarded-for", "192.0.2.7, 203.0.113.9")], false),
            ("10.0.0.1", vec![("x-forwarded-for", "127.0.0.1")], false),
            ("10.0.0.1", vec![], false),
            ("203.0.113.9", vec![("authorization", "Bearer correct horse")], true),
            ("203.0.113.9", vec![("authorization", "bearer correct horse")], true),
            ("203.0.113.9", vec![("authorization", "Bearer correct hors")], false),
            ("203.0.113.9", vec![("authorization", "Bearer ")], false),
            ("203.0.113.9", vec![("authorization", "correct horse")], false),
            ("203.0.113.9", vec![("authorization", "Basic correct horse")], false),
        ] {
            let peer = peer.parse().unwrap();
            assert_eq!(access().allows(Some(peer), &headers(&carried)), allowed, "{peer} {carried:?}");
        }
        assert!(!access().allows(None, &headers(&[])), "who has no address is not let in");
    }

    #[test]
    fn no_token_is_let_in_when_none_is_configured() {
        let access = Access::new(Networks::default(), Networks::default(), None);
        for value in ["Bearer ", "Bearer x", "Bearer"] {
            assert!(!access.allows(None, &headers(&[("authorization", value)])), "{value}");
        }
    }

    #[test]
    fn the_token_is_not_shown() {
        assert!(format!("{:?}", access()).contains("***"));
    }

    #[test]
    fn the_client_is_the_rightmost_hop_that_is_no_proxy_of_ours() {
        let trusted: Networks = "10.0.0.0/8".parse().unwrap();
        for (peer, lines, client) in [
            ("203.0.113.9", vec!["192.0.2.7"], "203.0.113.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", vec!["198.51.100.1, 192.0.2.7,10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", vec!["198.51.100.1", "192.0.2.7, 10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", vec!["192.0.2.7, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec!["192.0.2.7:4711"], "192.0.2.7"),
            ("10.0.0.1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
            ("::ffff:203.0.113.9", vec![], "203.0.113.9"),
            ("::ffff:10.0.0.1", vec!["::ffff:192.0.2.7"], "192.0.2.7"),
        ] {
            let pairs: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let found = client_address(peer.parse().unwrap(), &headers(&pairs), &trusted);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
        }
    }
}
