//! Develops pictures whose request waits, with those who develop the photos of galleries.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use party_gallery_actors::worker::{Crew, CrewError};

use crate::{
    imaging::{self, Developed, Format, Undevelopable},
    service::darkroom::{Darkroom, Undeveloped},
};

/// How long a request waits for its picture: less than the proxy waits for the request.
const DEVELOPED_WITHIN: Duration = Duration::from_secs(20);

impl Darkroom for Crew {
    fn develop(&self, format: Format, photo: Vec<u8>) -> BoxFuture<'_, Result<Developed, Undeveloped>> {
        async move {
            match self.run(move || make(format, photo), DEVELOPED_WITHIN).await {
                Ok(made) => Ok(made?),
                Err(error @ (CrewError::Overloaded | CrewError::Timeout)) => {
                    Err(Undeveloped::Crowded(error.into()))
                }
                Err(error @ CrewError::Panicked) => Err(Undeveloped::Failed(error.into())),
            }
        }
        .boxed()
    }
}

/// Blocks for as long as it takes.
fn make(format: Format, photo: Vec<u8>) -> Result<Developed, Undevelopable> {
    let clean = imaging::strip(format, &photo)?;
    drop(photo);
    imaging::develop(&clean)
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, sync::mpsc::sync_channel};

    use super::*;

    #[tokio::test]
    async fn a_full_crew_and_a_broken_photo_are_told_apart() {
        let crew = Crew::start("darkroom", NonZeroUsize::MIN, 0).unwrap();
        let broken = Darkroom::develop(&crew, Format::Jpeg, vec![0xff]).await;
        assert!(matches!(broken, Err(Undeveloped::Never(_))), "{broken:?}");
        let (open, opened) = sync_channel::<()>(1);
        let (reach, reached) = tokio::sync::oneshot::channel();
        let block = move || {
            _ = reach.send(());
            _ = opened.recv_timeout(DEVELOPED_WITHIN);
        };
        let refused = async {
            reached.await.unwrap();
            let refused = Darkroom::develop(&crew, Format::Jpeg, vec![0xff]).await;
            assert!(matches!(refused, Err(Undeveloped::Crowded(_))), "{refused:?}");
            open.send(()).unwrap();
        };
        assert_eq!(tokio::join!(crew.run(block, DEVELOPED_WITHIN), refused).0, Ok(()));
    }
}
