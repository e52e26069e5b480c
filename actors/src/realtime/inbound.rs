//! What a client sends, on its way to its session.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::web::Payload;
use bytes::Bytes;
use futures_util::Stream;

use super::{
    close::Close,
    decoder::{Decoder, Incoming},
    entry::Entry,
};

/// What a client sends. It ends with the client's end of the connection.
pub(super) struct Inbound {
    payload: Payload,
    decoder: Decoder,
    /// What has come and is not decoded.
    chunk: Bytes,
    entry: Arc<Entry>,
}

impl Inbound {
    pub(super) fn new(payload: Payload, max_message: usize, entry: Arc<Entry>) -> Self {
        Self { payload, decoder: Decoder::new(max_message), chunk: Bytes::new(), entry }
    }
}

impl Stream for Inbound {
    type Item = Result<Incoming, Close>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.entry.outbox().closing().is_some() {
                // Read on, so that the peer's own end is seen, but keep nothing
                this.chunk.clear();
            } else if let Some(next) = this.decoder.decode(&mut this.chunk).transpose() {
                return Poll::Ready(Some(next));
            }
            // What is decoded would keep the buffer that it came in
            this.chunk = Bytes::new();
            match Pin::new(&mut this.payload).poll_next(task) {
                Poll::Ready(Some(Ok(chunk))) => {
                    this.entry.note_in(Instant::now());
                    this.chunk = chunk;
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
