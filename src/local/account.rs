//! As whom the servers run: as ourselves, or, when we are root, as somebody who may do less.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
};

use super::{Error, unix};

/// An unprivileged account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// Whom to become: nobody else (`None`) unless we are root, whom PostgreSQL refuses.
    pub(super) fn to_become() -> Result<Option<Self>, Error> {
        if !unix::is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").map_err(Error::io("read /etc/passwd"))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Self::parse(&accounts, name))
            .map(Some)
            .ok_or(Error::NoAccount)
    }

    /// The account `name` in the text of a `passwd(5)`.
    fn parse(accounts: &str, name: &str) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next()?;
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            (found == name && uid != 0).then(|| Self { name: found.to_owned(), uid, gid })
        })
    }

    /// Makes `command` run as this account; std drops the supplementary groups too.
    pub(super) fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives `path` itself, not what is in it, to this account.
    pub(super) fn own(&self, path: &Path) -> Result<(), Error> {
        chown(path, Some(self.uid), Some(self.gid))
            .map_err(Error::io(format!("give {} away", path.display())))
    }

    /// Whether every directory above `path` that is there lets this account through: else the servers' own words are
    /// cryptic. The outermost that does not is named.
    pub(super) fn reaches(&self, path: &Path) -> Result<(), Error> {
        let above: Vec<_> = path.ancestors().skip(1).collect();
        for directory in above.into_iter().rev() {
            let about = match fs::metadata(directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                about => about.map_err(Error::io(format!("look at {}", directory.display())))?,
            };
            let search_bit = match (about.uid() == self.uid, about.gid() == self.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            if about.permissions().mode() & search_bit == 0 {
                return Err(Error::Unreachable {
                    account: self.name.clone(),
                    directory: directory.to_owned(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str =
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let nobody = Account { name: "nobody".to_owned(), uid: 65534, gid: 65534 };
        assert_eq!(Account::parse(ACCOUNTS, "nobody"), Some(nobody));
        assert_eq!(Account::parse(ACCOUNTS, "nobod"), None);
    }

    #[test]
    fn root_is_never_whom_to_become() {
        assert_eq!(Account::parse(ACCOUNTS, "root"), None);
    }

    #[test]
    fn a_closed_directory_on_the_way_is_named() {
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::create_dir(closed.path().join("inner")).unwrap();
        let stranger = Account { name: "stranger".to_owned(), uid: 4_000_000, gid: 4_000_000 };
        for below in ["data", "inner/data", "to/be/made"] {
            let refused = stranger.reaches(&closed.path().join(below)).unwrap_err();
            assert!(refused.to_string().contains("DATA_DIR="), "{refused}");
            assert!(matches!(refused, Error::Unreachable { directory, .. } if directory == closed.path()));
        }
    }
}
