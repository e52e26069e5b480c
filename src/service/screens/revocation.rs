//! Which sessions are over, whatever their tokens say.

use futures_util::future::{BoxFuture, FutureExt as _};
use uuid::Uuid;

use super::{Screens, unreadable};
use crate::{
    db::{
        Connection,
        sessions::{self, Over},
    },
    domain::caller::Caller,
    realtime::{Close, Credential, Revocation, Unreadable, caller_of},
};

/// They have signed in no more, somewhere or everywhere.
const SIGNED_OUT: Close = Close::new(4001, "signed out");

impl Revocation for Screens {
    fn revoked<'a>(
        &'a self,
        credentials: &'a [Credential],
    ) -> BoxFuture<'a, Result<Vec<(Credential, Close)>, Unreadable>> {
        let asked: Vec<(Caller, Option<Uuid>)> = credentials
            .iter()
            .map(|Credential { subject, grant }| {
                (caller_of(*subject).unwrap_or(Caller::Anonymous), grant.map(Uuid::from_u128))
            })
            .collect();
        async move {
            let over = self
                .database
                .run(async |connection: &mut Connection| sessions::over(connection, &asked).await);
            let over = over.await.map_err(unreadable)?;
            let close = |over| if over == Over::Gone { Close::REMOVED } else { SIGNED_OUT };
            Ok(over
                .into_iter()
                .filter_map(|(nth, over)| Some((*credentials.get(nth)?, close(over))))
                .collect())
        }
        .boxed()
    }
}
