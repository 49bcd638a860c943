//! Reading a request's body: bounded in size and time, and in one piece.
//!
//! A body that came with its head is taken without a copy and without a timer, which is how every
//! SDK sends. A body over the limit is read to its end and thrown away, up to a bound, so that the
//! client gets to read its 413 instead of a reset connection.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Incoming};

use super::one_poll::deafly;

/// The largest body of a request, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// How many bytes of a body that is too large are read before the connection is closed.
const DISCARD_LIMIT: u64 = 16 * 1024 * 1024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Larger than [`BODY_LIMIT`].
    TooLarge,
    /// It did not come within the deadline.
    TooSlow,
    /// The connection broke, or the framing is wrong.
    Broken,
}

/// Reads the whole body within `deadline`.
pub(crate) async fn read(mut body: Incoming, deadline: Duration) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > DISCARD_LIMIT {
        return Err(BodyError::TooLarge);
    }
    let first = poll_fn(|cx| {
        let mut first = None;
        deafly(cx, |cx| {
            if let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(cx) {
                first = Some(frame);
            }
            body.is_end_stream()
        });
        Poll::Ready(first)
    })
    .await;
    let first = match first {
        Some(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        Some(Some(Err(_))) => return Err(BodyError::Broken),
        Some(None) => return Ok(Bytes::new()),
        None => Bytes::new(),
    };
    if body.is_end_stream() {
        return if first.len() > BODY_LIMIT { Err(BodyError::TooLarge) } else { Ok(first) };
    }
    tokio::time::timeout(deadline, read_on(body, first)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn read_on(mut body: Incoming, first: Bytes) -> Result<Bytes, BodyError> {
    let mut seen = first.len() as u64;
    let mut collected = BytesMut::from(first);
    loop {
        let frame = match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Err(BodyError::Broken),
            None => break,
        };
        let data = frame.into_data().unwrap_or_default();
        seen += data.len() as u64;
        if seen > DISCARD_LIMIT {
            return Err(BodyError::TooLarge);
        }
        if seen <= BODY_LIMIT as u64 {
            collected.extend_from_slice(&data);
        } else {
            collected = BytesMut::new();
        }
    }
    if seen > BODY_LIMIT as u64 { Err(BodyError::TooLarge) } else { Ok(collected.freeze()) }
}
