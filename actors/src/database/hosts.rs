//! The hosts of one database: each asked by itself, so that one that hangs hides no other.
//!
//! The driver asks them one after another, and waits for the first without a deadline once it has taken the connect.

use futures_util::{StreamExt as _, stream::FuturesOrdered};
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Connection, Error, Socket, config::Host, tls::MakeTlsConnect};

use super::actor::TRIAL;

/// A connection, its driver, and how to make more to the same host.
pub(super) type Reached<T> = (Config, Client, Connection<Socket, T>);

/// Asks all `hosts` at once and takes the first in their order that answers in time.
///
/// # Errors
///
/// Why the last one was not to be had; `None`: it was silent.
pub(super) async fn reach<T>(hosts: &[Config], tls: &T) -> Result<Reached<T::Stream>, Option<Error>>
where
    T: MakeTlsConnect<Socket> + Clone,
{
    let mut trials: FuturesOrdered<_> = hosts
        .iter()
        .map(|host| async {
            match timeout(TRIAL, host.connect(tls.clone())).await {
                Ok(Ok((client, driver))) => Ok((host.clone(), client, driver)),
                Ok(Err(error)) => Err(Some(error)),
                Err(_elapsed) => Err(None),
            }
        })
        .collect();
    let mut outcome = Err(None);
    while let Some(trial) = trials.next().await {
        outcome = trial;
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// A configuration for each host of `config`. One whose lists do not fit stays whole: the driver says why.
pub(super) fn each(config: &Config) -> Vec<Config> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = names.len().max(addresses.len());
    let fits = |length: usize| length == 0 || length == count;
    if count < 2 || !fits(names.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
        return vec![config.clone()];
    }
    let one = |at: usize| {
        let mut host = without_hosts(config);
        match names.get(at) {
            Some(Host::Tcp(name)) => _ = host.host(name),
            Some(Host::Unix(directory)) => _ = host.host_path(directory),
            None => {}
        }
        if let Some(address) = addresses.get(at) {
            host.hostaddr(*address);
        }
        if let Some(port) = ports.get(at).or(ports.first()) {
            host.port(*port);
        }
        host
    };
    (0..count).map(one).collect()
}

/// Everything else: the driver lets hosts be added and never taken away.
fn without_hosts(config: &Config) -> Config {
    let mut bare = Config::new();
    if let Some(user) = config.get_user() {
        bare.user(user);
    }
    if let Some(password) = config.get_password() {
        bare.password(password);
    }
    if let Some(name) = config.get_dbname() {
        bare.dbname(name);
    }
    if let Some(options) = config.get_options() {
        bare.options(options);
    }
    if let Some(name) = config.get_application_name() {
        bare.application_name(name);
    }
    if let Some(limit) = config.get_connect_timeout() {
        bare.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        bare.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        bare.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        bare.keepalives_retries(retries);
    }
    bare.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(url: &str) -> Vec<Config> {
        each(&url.parse().unwrap())
    }

    #[test]
    fn each_host_keeps_everything_that_is_not_a_host() {
        let settings = "connect_timeout=3&tcp_user_timeout=4&keepalives=0&keepalives_idle=5\
            &keepalives_interval=6&keepalives_retries=7&sslmode=require&sslnegotiation=direct\
            &target_session_attrs=read-write&channel_binding=require&load_balance_hosts=random\
            &options=-c%20geqo%3Doff&application_name=party";
        let both = hosts(&format!("postgres://u:p@a:1,%2Frun%2Fpg:2/d?{settings}"));
        let [first, second] = &both[..] else { panic!("{both:?}") };
        assert_eq!(*first, format!("postgres://u:p@a:1/d?{settings}").parse().unwrap());
        assert_eq!(*second, format!("postgres://u:p@%2Frun%2Fpg:2/d?{settings}").parse().unwrap());
    }

    #[test]
    fn hosts_addresses_and_ports_belong_together() {
        for (url, expected) in [
            ("postgres://a,b/d", vec!["postgres://a:5432/d", "postgres://b:5432/d"]),
            (
                "postgres://a,b/d?hostaddr=192.0.2.1,192.0.2.2",
                vec!["postgres://a:5432/d?hostaddr=192.0.2.1", "postgres://b:5432/d?hostaddr=192.0.2.2"],
            ),
            ("postgres://a,b/d?hostaddr=192.0.2.1", vec!["postgres://a,b/d?hostaddr=192.0.2.1"]),
            ("postgres://a/d", vec!["postgres://a/d"]),
        ] {
            let expected: Vec<Config> = expected.iter().map(|url| url.parse().unwrap()).collect();
            assert_eq!(hosts(url), expected, "{url}");
        }
    }
}
