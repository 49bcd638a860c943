//! From a request to its answer: route, authenticate, call.
//!
//! `POST /` is the API, in AWS JSON 1.1 or, without `X-Amz-Target` and with a form as body, in the
//! query protocol. `GET /healthz` says that the process is up, `/readyz` whether it can serve,
//! `/metrics` counts. An operation that panics is answered with a 500 and logged; the connection
//! lives on. Bodies and credentials are never logged.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::http::request;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};

use super::body::{self, BODY_LIMIT, BodyError};
use super::query;
use super::request_id::RequestId;
use super::respond::{Format, Reply};
use super::service::{Caller, Service};
use crate::auth::{AuthError, Authenticator, Recognised, SignedRequest, SigningName};
use crate::metrics::Metrics;

/// The header that names the operation.
static TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// The prefix of ECS's operations in `X-Amz-Target`.
const TARGET_PREFIX: &str = "AmazonEC2ContainerServiceV20141113.";

/// Asked by `/readyz`: nothing, or why the server cannot serve yet.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Deadlines of the HTTP side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// From the first byte of a request's head to its last.
    pub head_deadline: Duration,
    /// For the whole body once the head is there.
    pub body_deadline: Duration,
    /// How long a connection may be idle, or a client may refuse to take its answer.
    pub idle_deadline: Duration,
    /// How long requests in flight have to finish at shutdown.
    pub drain_deadline: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            head_deadline: Duration::from_secs(20),
            body_deadline: Duration::from_secs(30),
            idle_deadline: Duration::from_secs(120),
            drain_deadline: Duration::from_secs(10),
        }
    }
}

/// What answers on a listener.
pub struct Endpoint<S> {
    service: S,
    authenticator: Authenticator,
    metrics: Metrics,
    ready: Readiness,
    pub(crate) options: Options,
}

impl<S> fmt::Debug for Endpoint<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The two protocols of `POST /`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Json,
    Query,
}

impl Protocol {
    fn of(headers: &HeaderMap, target: Option<&HeaderValue>) -> Self {
        let form = b"application/x-www-form-urlencoded";
        let is_form = |value: &HeaderValue| {
            value.as_bytes().get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
        };
        if target.is_none() && headers.get(CONTENT_TYPE).is_some_and(is_form) { Self::Query } else { Self::Json }
    }

    fn error(self, status: u16, error_type: &str, message: &str, id: RequestId) -> Reply {
        match self {
            Self::Json => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                Reply::json_error(status, error_type, message)
            }
            Self::Query => query::error(status, error_type.trim_end_matches("Exception"), message, id),
        }
    }

    fn refusal(self, error: &AuthError, id: RequestId) -> Reply {
        let message = error.to_string();
        match self {
            Self::Json => {
                let (status, error_type) = error.json();
                self.error(status, error_type, &message, id)
            }
            Self::Query => {
                let (status, code) = error.query();
                query::error(status, code, &message, id)
            }
        }
    }
}

impl<S: Service> Endpoint<S> {
    /// Puts the parts together.
    pub fn new(service: S, authenticator: Authenticator, metrics: Metrics, ready: Readiness, options: Options) -> Self {
        Self { service, authenticator, metrics, ready, options }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let id = RequestId::next();
        let (head, body) = request.into_parts();
        let reply = match (head.uri.path(), &head.method) {
            ("/", &Method::POST) => self.api(&head, body, id).await,
            ("/healthz" | "/readyz" | "/metrics", &Method::GET | &Method::HEAD) => self.page(&head),
            ("/", _) => not_allowed("POST"),
            ("/healthz" | "/readyz" | "/metrics", _) => not_allowed("GET, HEAD"),
            _ => not_found(),
        };
        reply.into_response(id, head.headers)
    }

    async fn api(&self, head: &request::Parts, body: Incoming, id: RequestId) -> Reply {
        let started = Instant::now();
        let target = head.headers.get(&TARGET);
        let protocol = Protocol::of(&head.headers, target);
        let operation = match protocol {
            Protocol::Json => target.and_then(operation),
            Protocol::Query => Some(query::GET_CALLER_IDENTITY),
        };
        let reply = match self.admitted(head, body, id, protocol).await {
            Ok((caller, body)) => match protocol {
                Protocol::Query => query::answer(&caller, &body, id),
                Protocol::Json => self.call(&caller, operation, body, id).await,
            },
            Err(reply) => reply,
        };
        let elapsed = started.elapsed();
        self.metrics.requests.observe(operation, reply.status.as_u16(), elapsed);
        tracing::debug!(
            request_id = %id,
            operation = operation.unwrap_or("-"),
            status = reply.status.as_u16(),
            micros = elapsed.as_micros() as u64,
            "request"
        );
        reply
    }

    /// Lets a request in: its caller and its body, or the reply that keeps it out.
    async fn admitted(
        &self,
        head: &request::Parts,
        body: Incoming,
        id: RequestId,
        protocol: Protocol,
    ) -> Result<(Recognised, Bytes), Reply> {
        let mut hosts = head.headers.get_all(HOST).iter();
        if head.version == Version::HTTP_11 && (hosts.next().is_none() || hosts.next().is_some()) {
            let text = "A request must have exactly one Host header.";
            return Err(protocol.error(400, "MalformedHttpRequestException", text, id).closing());
        }
        let authority = head.uri.authority().map(hyper::http::uri::Authority::as_str);
        let refuse = |error: AuthError| protocol.refusal(&error, id);
        self.authenticator.admit(&head.headers, authority).map_err(refuse)?;
        let body = body::read(body, self.options.body_deadline).await.map_err(|error| bad_body(error, protocol, id))?;
        let request = SignedRequest {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            body: &body,
        };
        let service = match protocol {
            Protocol::Json => SigningName::ECS,
            Protocol::Query => SigningName::STS,
        };
        let caller = self.authenticator.authenticate(&request, service).map_err(refuse)?;
        Ok((caller, body))
    }

    /// Runs an operation; a panic in it becomes an answer.
    async fn call(&self, caller: &Caller, operation: Option<&str>, body: Bytes, id: RequestId) -> Reply {
        let run = async { self.service.call(caller, operation, body).await };
        match AssertUnwindSafe(run).catch_unwind().await {
            Ok(answer) => {
                let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Reply::new(status, Format::AmazonJson, answer.body)
            }
            Err(panic) => {
                let operation = operation.unwrap_or("-");
                tracing::error!(request_id = %id, operation, panic = panic_text(&*panic), "an operation panicked");
                let text = "Service Unavailable. Please try again later.";
                Reply::json_error(StatusCode::INTERNAL_SERVER_ERROR, "ServerException", text)
            }
        }
    }

    /// The pages for probes and Prometheus.
    fn page(&self, head: &request::Parts) -> Reply {
        match head.uri.path() {
            "/healthz" => Reply::new(StatusCode::OK, Format::Json, r#"{"status":"ok"}"#),
            "/readyz" => match (self.ready)() {
                Ok(()) => Reply::new(StatusCode::OK, Format::Json, r#"{"status":"ready"}"#),
                Err(reason) => {
                    let body = serde_json::json!({ "status": "not ready", "reason": reason }).to_string();
                    Reply::new(StatusCode::SERVICE_UNAVAILABLE, Format::Json, body)
                }
            },
            _ => match self.authenticator.admit(&head.headers, None) {
                Ok(()) => Reply::new(StatusCode::OK, Format::OpenMetrics, self.metrics.text()),
                Err(error) => Reply::json_error(StatusCode::FORBIDDEN, error.json().1, &error.to_string()),
            },
        }
    }
}

/// The operation's name, if the target is one of ours.
fn operation(target: &HeaderValue) -> Option<&str> {
    target.to_str().ok()?.strip_prefix(TARGET_PREFIX)
}

fn bad_body(error: BodyError, protocol: Protocol, id: RequestId) -> Reply {
    let (status, error_type, text) = match error {
        BodyError::TooLarge => {
            let text = format!("The request body is larger than {BODY_LIMIT} bytes.");
            (413, "RequestEntityTooLargeException", text)
        }
        BodyError::TooSlow => (408, "RequestTimeoutException", "The request body did not arrive in time.".to_owned()),
        BodyError::Broken => {
            (400, "MalformedHttpRequestException", "The request body could not be read to its end.".to_owned())
        }
    };
    protocol.error(status, error_type, &text, id).closing()
}

fn not_allowed(allow: &'static str) -> Reply {
    let text = format!("This path answers only {allow}.");
    let reply = Reply::json_error(StatusCode::METHOD_NOT_ALLOWED, "UnknownOperationException", &text);
    Reply { allow: Some(allow), ..reply }
}

fn not_found() -> Reply {
    let text = "There is nothing here: the API answers POST /, and there are /healthz, /readyz and /metrics.";
    Reply::json_error(StatusCode::NOT_FOUND, "UnknownOperationException", text)
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
