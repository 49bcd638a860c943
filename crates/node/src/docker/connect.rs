//! The HTTP client that talks to the engine.
//!
//! bollard's own transports open a connection per request; ours keeps idle ones. Connections are made when a call
//! needs one, so an engine that is started later, or again, is simply there at the next call.
//!
//! bollard reads answers strictly: one state or option that it has never heard of, and the whole answer is an error.
//! What must be read whatever the engine is, goes through [`Connection::get`] into types of our own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker, body_full};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::endpoint::Endpoint;
use crate::engine::EngineError;
use crate::minimal_image::hex;

/// How long a TCP connection to a remote engine may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A TCP peer that vanished is noticed within a few of these.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Idle connections are closed after this time, before servers close them under us.
const IDLE: Duration = Duration::from_secs(20);
/// bollard bounds every call by itself; [`crate::deadline`] is what bounds calls here, so this is out of its way.
const NO_TIMEOUT_SECONDS: u64 = 30 * 24 * 3600;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Error>> + Send>>;
type Sender = Arc<dyn Fn(BollardRequest) -> Answer + Send + Sync>;

/// A client of one engine.
#[derive(Clone)]
pub(super) struct Connection {
    /// bollard's calls over our transport.
    pub(super) docker: Docker,
    send: Sender,
    address: String,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What Docker answers instead of what was asked for.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Connection {
    /// A client of the engine at `endpoint`. `answered` is told each time a request succeeds, as soon as the headers
    /// are there: the only way to know that a stream has begun before its first item.
    pub(super) fn new(endpoint: &Endpoint, answered: Option<Arc<Notify>>) -> Result<Self, EngineError> {
        let (address, send) = transport(endpoint, answered);
        let bollards = Arc::clone(&send);
        let docker = Docker::connect_with_custom_transport(
            move |request| bollards(request),
            Some(address.as_str()),
            NO_TIMEOUT_SECONDS,
            API_DEFAULT_VERSION,
        )
        .map_err(|error| EngineError::Unreachable(format!("{endpoint}: {error}")))?;
        Ok(Self { docker, send, address })
    }

    /// The answer to `GET path?query`, read leniently. The path has to be safe already, the query encoded.
    pub(super) async fn get<T: DeserializeOwned>(&self, path_and_query: &str) -> Result<T, Error> {
        let mut request = BollardRequest::new(body_full(Bytes::new()));
        *request.uri_mut() = format!("{}{path_and_query}", self.address).parse()?;
        let response = (self.send)(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status.is_success() {
            return Ok(serde_json::from_slice(&body)?);
        }
        let message = serde_json::from_slice(&body)
            .map_or_else(|_| String::from_utf8_lossy(&body).into_owned(), |refusal: Refusal| refusal.message);
        Err(Error::DockerResponseServerError { status_code: status.as_u16(), message })
    }
}

/// The base of every request's address, and what sends one.
fn transport(endpoint: &Endpoint, answered: Option<Arc<Notify>>) -> (String, Sender) {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
    match endpoint {
        Endpoint::Unix(path) => {
            let client = builder.build(hyperlocal::UnixConnector);
            let send = move |request| telling(client.request(request), answered.clone());
            (format!("unix://{}", hex(path.as_os_str().as_encoded_bytes())), Arc::new(send))
        }
        Endpoint::Tcp(address) => {
            let mut connector = HttpConnector::new();
            connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
            connector.set_keepalive(Some(KEEPALIVE));
            connector.set_nodelay(true);
            let client = builder.build(connector);
            let send = move |request| telling(client.request(request), answered.clone());
            (format!("http://{address}"), Arc::new(send))
        }
    }
}

/// Awaits `request`; tells `answered` if the response is a success.
fn telling<E>(
    request: impl Future<Output = Result<Response<Incoming>, E>> + Send + 'static,
    answered: Option<Arc<Notify>>,
) -> Answer
where
    Error: From<E>,
{
    Box::pin(async move {
        let response = request.await?;
        if let Some(answered) = answered.filter(|_| response.status().is_success()) {
            answered.notify_one();
        }
        Ok(response)
    })
}
