//! TLS to PostgreSQL: the machine's own certificate authorities, asked for only where a host is not local.

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How to encrypt for `config`. Without a host on a network the authorities are not even read.
pub(super) fn connector(config: &tokio_postgres::Config) -> MakeRustlsConnect {
    let mut roots = RootCertStore::empty();
    let on_network = config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)));
    if on_network && config.get_ssl_mode() != SslMode::Disable {
        // Authorities that do not parse are left out: what they signed is refused
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    MakeRustlsConnect::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
