//! What needs the kernel's own words.
//!
//! *Invariant:* the only unsafe code of this crate.

use std::{io, os::unix::process::CommandExt, process::Command};

/// A signal that the launchers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Signal {
    /// PostgreSQL: fast shutdown. Redis: shutdown.
    Interrupt = libc::SIGINT,
    /// Redis: shutdown.
    Terminate = libc::SIGTERM,
    /// The end, at once.
    Kill = libc::SIGKILL,
    /// Stands still until [`Signal::Continue`].
    Stop = libc::SIGSTOP,
    /// Goes on.
    Continue = libc::SIGCONT,
}

/// The longest path that a Unix socket can have, in bytes: `sun_path` less its final NUL.
pub(super) const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

#[expect(unsafe_code, reason = "std knows no geteuid")]
pub(super) fn is_root() -> bool {
    // SAFETY: geteuid takes nothing, touches no memory and cannot fail
    unsafe { libc::geteuid() == 0 }
}

#[expect(unsafe_code, reason = "std knows no kill")]
pub(super) fn send(pid: i32, signal: Signal) -> io::Result<()> {
    // SAFETY: kill touches no memory of ours
    match unsafe { libc::kill(pid, signal as i32) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes the child lead a session of its own, so that a ^C in the terminal does not reach it before the drain ends,
/// and makes the kernel interrupt it when the thread that spawned it ends.
#[expect(unsafe_code, reason = "std has no setsid and no PR_SET_PDEATHSIG")]
pub(super) fn detach(command: &mut Command) {
    #[cfg(target_os = "linux")]
    let parent = std::process::id();
    let between_fork_and_exec = move || {
        // SAFETY: setsid is async-signal-safe
        if unsafe { libc::setsid() } == -1 {
            return Err(io::Error::last_os_error());
        }
        #[cfg(target_os = "linux")]
        {
            // SAFETY: both are bare system calls. std has changed the user by now, which would have reset the signal
            let told = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGINT) };
            if told == -1 {
                return Err(io::Error::last_os_error());
            }
            // The parent may have ended before the kernel was told
            // SAFETY: getppid cannot fail
            if u32::try_from(unsafe { libc::getppid() }) != Ok(parent) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only: no allocation, no lock, no panic
    unsafe { command.pre_exec(between_fork_and_exec) };
}
