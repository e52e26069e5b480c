//! Hashes passwords with Argon2id, few at a time: each takes a core and 19 MiB for a while.

use std::{fmt, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::phc::PasswordHash,
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::error::Error;
use crate::domain::account::Password;

/// How many are hashed at once in this pod.
const AT_ONCE: usize = 2;
/// How many wait for their turn; the rest is refused at once.
const WAITING: usize = 64;
/// How long they wait.
const WITHIN: Duration = Duration::from_secs(2);

/// What OWASP asks for: 19 MiB, twice, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What is verified for who has no account, so that the answer takes as long. No password is known for it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGFydHktZ2FsbGVyeS0wMA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and verifies.
#[derive(Clone)]
pub struct Passwords {
    entered: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let (entered, turns) = (Semaphore::new(AT_ONCE + WAITING), Semaphore::new(AT_ONCE));
        Self { entered: Arc::new(entered), turns: Arc::new(turns) }
    }
}

impl Passwords {
    /// The hash of `password` with a salt of its own, as a PHC string.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when too many wait.
    pub async fn hash(&self, password: Password) -> Result<String, Error> {
        let salt = rand::random::<[u8; 16]>();
        let hash: PasswordHash = self
            .work(move |argon2| argon2.hash_password_with_salt(password.expose().as_bytes(), &salt))
            .await??;
        Ok(hash.to_string())
    }

    /// Whether `hash` is of `password`. Takes as long when there is no hash.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when too many wait.
    pub async fn is_of(&self, password: Password, hash: Option<String>) -> Result<bool, Error> {
        let verified = self.work(move |argon2| {
            let hash = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY))?;
            argon2.verify_password(password.expose().as_bytes(), &hash)
        });
        match verified.await? {
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            other => Ok(other.map(|()| true)?),
        }
    }

    /// Waits for a turn and works on a thread that may be blocked. The turn lasts as long as the work, even when
    /// nobody waits for it any more.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let entered = Arc::clone(&self.entered).try_acquire_owned().map_err(|_full| busy())?;
        let turn =
            timeout(WITHIN, Arc::clone(&self.turns).acquire_owned()).await.map_err(|_elapsed| busy())?;
        let argon2 = argon2()?;
        let work = spawn_blocking(move || {
            let _held = (entered, turn);
            work(&argon2)
        });
        work.await.map_err(Error::internal)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("turns", &self.turns.available_permits()).finish_non_exhaustive()
    }
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn busy() -> Error {
    let retry_after = Duration::from_secs(1);
    Error::Unavailable { reason: "too many passwords are being checked", retry_after, source: None }
}

/// A hash that cannot be read, or an algorithm that this version does not know.
impl From<argon2::password_hash::Error> for Error {
    fn from(error: argon2::password_hash::Error) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use serde_json::json;

    use super::*;

    fn password(text: &str) -> Password {
        Password::given(&json!(text)).unwrap()
    }

    #[tokio::test]
    async fn a_hash_is_of_its_password_alone_and_never_twice_the_same() {
        let passwords = Passwords::default();
        let hash = passwords.hash(password("correct horse")).await.unwrap();
        assert!(passwords.is_of(password("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.is_of(password("correct hors"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.is_of(password("correct horse"), None).await.unwrap());
        assert_ne!(passwords.hash(password("correct horse")).await.unwrap(), hash);
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).unwrap().to_owned();
        assert_eq!(cost(&hash), cost(NOBODY), "nobody's takes as long as somebody's");
    }

    #[tokio::test]
    async fn few_are_hashed_at_once_and_few_wait() {
        let passwords = Passwords::default();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(parking_lot::Mutex::new(()));
        let work = |_| {
            let (now, most, gate) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&gate));
            passwords.work(move |_| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                drop(gate.lock());
                now.fetch_sub(1, Ordering::SeqCst);
            })
        };
        // Nothing is done before all have asked
        let closed = gate.lock();
        let mut all = Box::pin(join_all((0..AT_ONCE + WAITING + 10).map(work)));
        assert!(futures_util::FutureExt::now_or_never(&mut all).is_none());
        drop(closed);
        let done = all.await;
        assert!((1..=AT_ONCE).contains(&most.load(Ordering::SeqCst)));
        let refused = done.iter().filter(|done| matches!(done, Err(Error::Unavailable { .. })));
        assert_eq!(refused.count(), 10);
    }

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_work_even_when_nobody_waits_for_it() {
        let passwords = Passwords::default();
        let (release, blocked) = std::sync::mpsc::sync_channel::<()>(0);
        let abandoned = passwords.work(move |_| blocked.recv());
        _ = timeout(Duration::from_millis(20), abandoned).await;
        assert_eq!(passwords.turns.available_permits(), AT_ONCE - 1);
        drop(release);
        _ = timeout(WITHIN, passwords.turns.acquire_many(2)).await.unwrap().unwrap();
    }
}
