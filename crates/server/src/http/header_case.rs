//! The spelling of our answers' header names.
//!
//! Amazon sends `x-amzn-RequestId` and `Content-Type`; hyper writes names in lower case unless the
//! answer carries the private extension in which it keeps the spelling of a message it has read
//! with `preserve_header_case`. So at start one message with the names as we want them is read from
//! memory, and its extension is put into every answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::http::Extensions;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;

/// A message whose headers are spelled as ours are to be.
const SAMPLE: &[u8] =
    b"POST / HTTP/1.1\r\nContent-Type: x\r\nx-amzn-RequestId: x\r\nDate: x\r\nContent-Length: 0\r\n\r\n";

/// The extension that makes hyper spell the headers of an answer as Amazon does.
///
/// # Errors
/// When hyper no longer reads the sample, in words.
pub(crate) async fn spelling() -> Result<Extensions, String> {
    let (mut client, server) = tokio::io::duplex(4096);
    client.write_all(SAMPLE).await.map_err(|error| error.to_string())?;
    let found = Arc::new(Mutex::new(None));
    let service = service_fn(|request: Request<Incoming>| {
        let found = Arc::clone(&found);
        async move {
            if let Ok(mut found) = found.lock() {
                *found = Some(request.extensions().clone());
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut builder = http1::Builder::new();
    builder.preserve_header_case(true).keep_alive(false);
    builder.serve_connection(TokioIo::new(server), service).await.map_err(|error| error.to_string())?;
    let found = found.lock().ok().and_then(|mut found| found.take());
    found.ok_or_else(|| "no spelling of header names was recorded".to_owned())
}
