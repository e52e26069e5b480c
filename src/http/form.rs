//! Forms with a file, read part by part.

use actix_multipart::Field;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{
    admission::IDLE,
    problem::{Code, Problem},
};
use crate::service::incoming::{Incoming, Said};

pub(super) use actix_multipart::Multipart;

/// The most bytes of a text in the form.
const TEXT_LIMIT: usize = 8 * 1024;
/// The most parts of a form.
pub(super) const PARTS: usize = 16;

/// The next part.
///
/// # Errors
///
/// No form, or nothing comes for too long.
pub(super) async fn part(form: &mut Multipart) -> Result<Option<Field>, Problem> {
    next(form.next()).await?.transpose().map_err(|_details| malformed())
}

/// What a part says of its file.
pub(super) fn said(part: &Field) -> Said {
    Said {
        content_type: part.content_type().map(|kind| kind.essence_str().to_owned()),
        file_name: part.content_disposition().and_then(|shown| shown.get_filename()).map(str::to_owned),
    }
}

/// Streams a part into `file`.
///
/// # Errors
///
/// What [`Incoming::write`] refuses; nothing comes for too long.
pub(super) async fn receive(mut part: Field, mut file: Incoming) -> Result<Incoming, Problem> {
    while let Some(bytes) = next(part.next()).await? {
        file.write(&bytes.map_err(|_details| malformed())?).await?;
    }
    Ok(file)
}

/// A part that is a text.
///
/// # Errors
///
/// It is too long, or not UTF-8; nothing comes for too long.
pub(super) async fn text(mut part: Field) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(bytes) = next(part.next()).await? {
        let bytes: Bytes = bytes.map_err(|_details| malformed())?;
        if text.len() + bytes.len() > TEXT_LIMIT {
            return Err(Problem::new(Code::PayloadTooLarge, "A text of the form has at most 8 KiB"));
        }
        text.extend_from_slice(&bytes);
    }
    // In a form, browsers end each line of a text with both
    String::from_utf8(text)
        .map(|text| text.replace("\r\n", "\n"))
        .map_err(|_details| Problem::new(Code::MalformedBody, "A text of the form is not UTF-8"))
}

/// A part came that was there before.
pub(super) fn twice() -> Problem {
    Problem::new(Code::MalformedBody, "A part of the form comes twice")
}

/// There are too many parts.
pub(super) fn too_long() -> Problem {
    Problem::new(Code::MalformedBody, "The form has too many parts")
}

/// There is no file.
pub(super) fn without_file() -> Problem {
    Problem::new(Code::MalformedBody, "The form has no file")
}

/// What comes next, unless nothing does for too long.
async fn next<T>(next: impl Future<Output = T>) -> Result<T, Problem> {
    timeout(IDLE, next)
        .await
        .map_err(|_elapsed| Problem::new(Code::MalformedBody, "The upload stopped half-way"))
}

fn malformed() -> Problem {
    Problem::new(Code::MalformedBody, "The body is no form with a file")
}
