//! A server that cannot do less: hyper, a runtime, and as many bytes as the request's path says.
//!
//! Runtime, connection settings and header set are those of the real server; there is no route, no
//! signature, no look at the request but for the number that is its path. It runs as a process of
//! its own, so that its CPU time can be told from the client's.

use std::convert::Infallible;
use std::io::Write;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// As in the real server.
const MAX_HEAD_BYTES: usize = 64 * 1024;

const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The longest body.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Serves until the process is killed; prints its address first.
///
/// # Errors
/// There is no port.
pub fn run() -> Result<String, String> {
    let body = Bytes::from(vec![b'a'; MAX_BODY_BYTES]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start threads: {error}"))?;
    runtime.block_on(serve(body)).map_err(|error| format!("cannot serve: {error}"))?;
    Ok(String::new())
}

async fn serve(body: Bytes) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, body.clone()));
    }
}

async fn connection(stream: TcpStream, body: Bytes) {
    let service = service_fn(move |request: Request<Incoming>| {
        let length = request.uri().path().get(1..).and_then(|path| path.parse().ok()).unwrap_or_default();
        let mut response = Response::new(Full::new(body.slice(..MAX_BODY_BYTES.min(length))));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        headers.insert("x-amzn-requestid", HeaderValue::from_static(REQUEST_ID));
        async move { Ok::<_, Infallible>(response) }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES);
    // An error here is a client that went away.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
