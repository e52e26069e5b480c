//! PostgreSQL and Redis over TLS: trusted when the machine trusts who signed for them, and not otherwise.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process,
};

use party_gallery::local::Server;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::support::{
    DEADLINE, client,
    cluster::{Cluster, Encryption},
    database::{MIGRATED, fresh},
    poll::eventually,
    process::Process,
    servers,
};

const REDIS_PORT: u16 = 6_380;

/// Both servers on an address of their own, with a certificate for it.
struct Encrypted {
    directory: PathBuf,
    address: Ipv4Addr,
    _servers: [Server; 2],
}

impl Encrypted {
    async fn start(name: &str) -> Self {
        let directory = servers::directory(name);
        // PostgreSQL's port is part of its socket's name, so it is the address that has to be free
        let [.., high, low] = process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, 77, high, low.max(1));
        // Once without, which makes the directory of who runs the servers
        drop(servers::start_postgres(&directory).await);
        let owner = fs::metadata(directory.join("postgres/pg")).unwrap().uid();
        certify(&directory, address, owner);
        let hba = directory.join("hba");
        fs::write(&hba, "local all all trust\nhostssl all all 127.0.0.0/8 trust\n").unwrap();

        let at = |name: &str| directory.join(name).display().to_string();
        let postgres = servers::start_postgres_with(
            &directory,
            vec![
                ("listen_addresses", address.to_string()),
                ("hba_file", at("hba")),
                ("ssl", "on".to_owned()),
                ("ssl_cert_file", at("server.pem")),
                ("ssl_key_file", at("server.key")),
            ],
        );
        let redis = servers::start_redis_with(
            &directory,
            vec![
                ("bind", address.to_string()),
                ("tls-port", REDIS_PORT.to_string()),
                ("tls-cert-file", at("server.pem")),
                ("tls-key-file", at("server.key")),
                ("tls-ca-cert-file", at("authority.pem")),
                ("tls-auth-clients", "no".to_owned()),
            ],
        );
        let _servers = [postgres.await, redis.await];
        Self { directory, address, _servers }
    }

    /// A pod that has to encrypt to both, and trusts only what is in `authorities`.
    fn pod(&self, authorities: &Path) -> Process {
        let address = self.address;
        Process::serve(
            &format!("postgres://party_gallery@{address}/party_gallery?sslmode=require"),
            &format!("rediss://{address}:{REDIS_PORT}"),
            &[("SSL_CERT_FILE", authorities.to_str().unwrap())],
        )
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// An authority nobody else knows, a stranger who signed for nobody, and a certificate for `address`.
fn certify(directory: &Path, address: Ipv4Addr, owner: u32) {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        fs::write(directory.join(name), params.self_signed(&key).unwrap().pem()).unwrap();
        Issuer::new(params, key)
    };
    let issuer = authority("authority.pem");
    authority("stranger.pem");
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![address.to_string()]).unwrap();
    fs::write(directory.join("server.pem"), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    let private = directory.join("server.key");
    fs::write(&private, key.serialize_pem()).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    chown(&private, Some(owner), None).unwrap();
}

async fn checks(pod: &Process) -> serde_json::Value {
    let url = format!("http://{}/health", pod.address().await);
    client::get(url).await.unwrap().json::<serde_json::Value>().await.unwrap()["checks"].take()
}

#[tokio::test]
async fn servers_are_spoken_to_in_private_when_the_machine_trusts_their_authority() {
    let encrypted = Encrypted::start("tls").await;
    let mut pod = encrypted.pod(&encrypted.directory.join("authority.pem"));
    pod.wait_for("Ready").await;
    let checks = checks(&pod).await;
    assert_eq!(
        (&checks["database"]["status"], &checks["redis"]["status"]),
        (&"healthy".into(), &"healthy".into())
    );
    pod.signal("TERM");
    assert_eq!(pod.ended(DEADLINE).await, Some(0));

    // The same servers, and nobody who vouches for them
    let mut pod = encrypted.pod(&encrypted.directory.join("stranger.pem"));
    let told = pod.wait_for("Database does not take a connection").await;
    assert!(told["error"].as_str().unwrap().contains("certificate"), "{told}");
    eventually(DEADLINE, "both were tried", async || {
        let checks = self::checks(&pod).await;
        ["database", "redis"]
            .iter()
            .all(|name| checks[name]["status"] == "unhealthy" && checks[name]["checkedAt"].is_string())
    })
    .await;
    assert!(pod.lines().iter().all(|line| line["message"] != "Ready"));
    pod.signal("TERM");
    assert_eq!(pod.ended(DEADLINE).await, Some(0));
}

#[tokio::test]
async fn all_nodes_of_a_cluster_are_spoken_to_in_private() {
    let directory = servers::directory("tls-cluster");
    certify(&directory, Ipv4Addr::LOCALHOST, fs::metadata(&directory).unwrap().uid());
    let at = |name: &str| directory.join(name).display().to_string();
    let encryption =
        Encryption { certificate: at("server.pem"), key: at("server.key"), authority: at("authority.pem") };
    let (cluster, database) = (Cluster::encrypted(encryption).await, fresh(&MIGRATED).await);
    assert!(cluster.url().starts_with("rediss+cluster://"));

    let mut pod =
        Process::serve(&database, &cluster.url(), &[("SSL_CERT_FILE", at("authority.pem").as_str())]);
    pod.wait_for("Ready").await;
    assert_eq!(checks(&pod).await["redis"]["status"], "healthy");
    pod.signal("TERM");
    assert_eq!(pod.ended(DEADLINE).await, Some(0));

    let mut pod =
        Process::serve(&database, &cluster.url(), &[("SSL_CERT_FILE", at("stranger.pem").as_str())]);
    let told = pod.wait_for("Redis cannot be reached").await;
    assert!(told["error"].as_str().unwrap().contains("certificate"), "{told}");
    assert_eq!(checks(&pod).await["redis"]["status"], "unhealthy");
    pod.signal("TERM");
    assert_eq!(pod.ended(DEADLINE).await, Some(0));
    fs::remove_dir_all(&directory).unwrap();
}
