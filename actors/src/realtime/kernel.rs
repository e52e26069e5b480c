//! What the kernel tells of a TCP connection beyond what the standard library asks it.

use std::{
    mem::MaybeUninit,
    os::fd::{AsRawFd as _, BorrowedFd},
};

/// Where `tcpi_bytes_acked` is in `struct tcp_info` (linux/tcp.h), and where it ends. The `libc` crate knows a shorter one.
const BYTES_ACKED: usize = 120;
const SIZE: usize = BYTES_ACKED + size_of::<u64>();
/// How often it is looked again when the peer acknowledges something between two looks.
const LOOKS: usize = 4;

/// How many bytes the kernel has ever taken of what was written to a connection: what was acknowledged, and what was not.
/// `None`: it does not tell.
pub(super) fn accepted(connection: BorrowedFd<'_>) -> Option<u64> {
    let mut acknowledged = acknowledged(connection)?;
    for _ in 0..LOOKS {
        let outstanding = outstanding(connection)?;
        let before = std::mem::replace(&mut acknowledged, self::acknowledged(connection)?);
        if before == acknowledged {
            return Some(acknowledged + outstanding);
        }
    }
    None
}

#[expect(unsafe_code, reason = "std knows no TCP_INFO")]
fn acknowledged(connection: BorrowedFd<'_>) -> Option<u64> {
    let mut info = MaybeUninit::<[u8; SIZE]>::zeroed();
    let mut size = libc::socklen_t::try_from(SIZE).ok()?;
    // SAFETY: the descriptor is borrowed, so it is open; the kernel writes at most `size` bytes into a buffer of that size
    let is_told = unsafe {
        let info = info.as_mut_ptr().cast();
        libc::getsockopt(connection.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info, &raw mut size) == 0
    };
    // SAFETY: it was all noughts before the kernel wrote into it
    let info = unsafe { info.assume_init() };
    let is_whole = usize::try_from(size).is_ok_and(|size| size >= SIZE);
    info.last_chunk().filter(|_| is_told && is_whole).map(|bytes| u64::from_ne_bytes(*bytes))
}

#[expect(unsafe_code, reason = "std knows no SIOCOUTQ")]
fn outstanding(connection: BorrowedFd<'_>) -> Option<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open, and this request, which TIOCOUTQ is another name of, writes one int
    let is_told = unsafe { libc::ioctl(connection.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) == 0 };
    u64::try_from(bytes).ok().filter(|_| is_told)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        os::fd::AsFd as _,
    };

    use super::*;

    #[test]
    fn what_the_kernel_has_taken_is_counted_whether_or_not_it_was_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut theirs = listener.accept().unwrap().0;
        ours.set_nonblocking(true).unwrap();
        let before = accepted(ours.as_fd()).unwrap();
        let mut written = 0;
        // Until nothing more fits in
        while let Ok(taken) = ours.write(&[7; 1_000]) {
            written += taken;
            assert_eq!(accepted(ours.as_fd()), Some(before + written as u64));
        }
        let mut bytes = vec![0; written];
        theirs.read_exact(&mut bytes).unwrap();
        assert_eq!(accepted(ours.as_fd()), Some(before + written as u64));
    }
}
