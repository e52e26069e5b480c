//! The embedded default: a private PostgreSQL and a private Redis, so that `party-gallery` runs with no configuration.
//!
//! Each lives in a directory of its own, listens on a Unix socket in there and nowhere else, and is a child of this
//! process: it ends when this process ends, however that comes.
//!
//! *Invariant:* nothing in here restarts anything, and nothing blocks but dropping or signalling a [`Server`]. A
//! [`Server`] says when it has ended; its [`Keeper`] ends with it, and what follows is the supervisor's business.

mod account;
mod error;
mod home;
mod keeper;
mod launcher;
mod postgres;
mod process;
mod programs;
mod redis;
mod server;
#[cfg(test)]
mod tests;
mod unix;

pub use self::{
    error::Error,
    keeper::{Keeper, Kept, StopServer},
    launcher::Launcher,
    postgres::PostgresConfig,
    process::Stopped,
    programs::{PostgresPrograms, RedisProgram},
    redis::RedisConfig,
    server::Server,
    unix::Signal,
};

/// Whether those who run the servers can come to `directory`, which need not be there yet.
///
/// # Errors
///
/// [`Error::Unreachable`], [`Error::NoAccount`].
pub fn reachable(directory: &std::path::Path) -> Result<(), Error> {
    let Some(account) = account::Account::to_become()? else { return Ok(()) };
    let directory =
        std::path::absolute(directory).map_err(Error::io(format!("find {}", directory.display())))?;
    account.reaches(&directory.join("server"))
}

/// `path` as the part of a URL: everything but unreserved characters and what `keep` names is percent-encoded.
fn percent_encode(path: &std::path::Path, keep: &[u8]) -> String {
    use std::{fmt::Write, os::unix::ffi::OsStrExt};

    path.as_os_str().as_bytes().iter().fold(String::new(), |mut url, &byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing into a String cannot fail
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}
