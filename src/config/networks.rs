//! Sets of addresses: `TRUSTED_PROXIES`, `METRICS_ALLOW`.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::list;
use super::problem::Expected;

/// Networks in CIDR notation; a bare address is a network of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// True when one of them holds the address. An IPv4 address that comes in IPv6 clothes counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let network = |item: &str| {
            let bare = item.parse::<IpAddr>().map(IpNet::from);
            bare.or_else(|_| item.parse())
                .ok()
                .ok_or(Expected::new("a comma list of networks such as 10.0.0.0/8,::1"))
        };
        list::read(text, network).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_its_networks_and_bare_addresses() {
        let networks: Networks = "10.0.0.0/8, 192.0.2.7,::1 ,2001:db8::/32".parse().unwrap();
        for inside in ["10.255.0.1", "192.0.2.7", "::1", "2001:db8:1::1", "::ffff:10.0.0.1"] {
            assert!(networks.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "::2", "2001:db9::1", "::ffff:11.0.0.1"] {
            assert!(!networks.contains(outside.parse().unwrap()), "{outside}");
        }
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["10.0.0.0/33", "10.0.0/8", "localhost", "10.0.0.1,,10.0.0.2", "10.0.0.1,", "10.0.0.1 10.0.0.2"]
        {
            assert!(text.parse::<Networks>().is_err(), "{text}");
        }
    }
}
