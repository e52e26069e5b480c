//! Who gives the demo party: an account that is drawn at the first run and kept in `DATA_DIR`.
//!
//! *Invariant:* its password is in no code and in no log; it is in a file that only its owner may read.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use serde_json::Value;

use super::Error;
use crate::{
    config::keepsake,
    domain::{
        account::{Email, Password, Username},
        caller::Caller,
        fields::Wrong,
        text::Name,
    },
    service::{
        accounts::{Accounts, Registration},
        error::Error as Refused,
    },
};

/// The file in `DATA_DIR`, in the words of a shell: `. .party-gallery/demo.env` sets its two variables.
pub(super) const FILE: &str = "demo.env";

const EMAIL: &str = "DEMO_EMAIL";
const PASSWORD: &str = "DEMO_PASSWORD";
const DOMAIN: &str = "party.example";

/// Where rates see the host come from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Who gives the demo party.
#[derive(Debug)]
pub(super) struct Host(Registration);

impl Host {
    /// The host kept in `data_dir`, drawn at the first call.
    ///
    /// # Errors
    ///
    /// [`Error::Host`]: the file can be neither read nor made, or was spoilt.
    pub(super) fn kept_in(data_dir: &Path) -> Result<Self, Error> {
        let text = keepsake(data_dir, FILE, draw).map_err(Error::Host)?;
        let spoilt = || io::Error::new(io::ErrorKind::InvalidData, "it is spoilt: remove it");
        parse(&text).map(Self).ok_or_else(|| Error::Host(spoilt()))
    }

    /// Their address.
    pub(super) fn email(&self) -> &str {
        self.0.email.as_str()
    }

    /// Signs them in, or registers them where nobody knows them yet.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; that their name is taken when somebody changed the account's password.
    pub(super) async fn sign_in(&self, accounts: &Accounts) -> Result<Caller, Error> {
        let Self(own) = self;
        let (account, _tokens) = match accounts.login(own.email.clone(), own.password.clone(), HERE).await {
            Err(Refused::Unauthenticated(_)) => accounts.register(own.clone(), HERE).await?,
            found => found?,
        };
        Ok(Caller::User(account.person.id))
    }
}

/// A name of its own for each `DATA_DIR`: several may share one database.
fn draw() -> String {
    let (name, password) = (rand::random::<u32>(), rand::random::<u128>());
    format!(
        "# The host of the demo party, for development. Without this file the next start makes another.\n\
         {EMAIL}=demo_{name:08x}@{DOMAIN}\n{PASSWORD}={password:032x}\n"
    )
}

fn parse(text: &str) -> Option<Registration> {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(|value| value.trim().into()))
    };
    let email: Value = value(EMAIL)?;
    let username: Value = email.as_str()?.split('@').next()?.into();
    let read = || {
        Ok::<_, Wrong>(Registration {
            email: Email::read(&email)?,
            password: Password::read(&value(PASSWORD).unwrap_or_default())?,
            username: Username::read(&username)?,
            first_name: Name::read(&"Demo".into())?,
            last_name: Name::read(&"Host".into())?,
            bio: None,
        })
    };
    read().ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_host_is_kept_private_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let (first, again) = (Host::kept_in(dir.path()).unwrap(), Host::kept_in(dir.path()).unwrap());
        assert_eq!(first.email(), again.email());
        assert!(first.0.password == again.0.password);
        let file = fs::metadata(dir.path().join(FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Host::kept_in(other.path()).unwrap().email(), first.email(), "chance differs");
    }

    #[test]
    fn a_spoilt_file_is_told_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "DEMO_EMAIL=demo@party.example\nDEMO_PASSWORD=short\n").unwrap();
        assert!(matches!(Host::kept_in(dir.path()), Err(Error::Host(_))));
        assert!(fs::read_to_string(dir.path().join(FILE)).unwrap().ends_with("short\n"));
    }
}
