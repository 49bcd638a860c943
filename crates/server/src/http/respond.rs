//! From a [`Reply`] to an HTTP answer, with the headers exactly as Amazon sends them.
//!
//! Header values that never change are static, the request's header map is used again for the
//! answer, and the body goes out as the one piece it is.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use serde::Serialize;

use super::request_id::RequestId;

/// `x-amzn-RequestId`; its capitals come from [`super::spelling`].
static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// AWS JSON 1.1.
    AmazonJson,
    /// Plain JSON, for people and probes.
    Json,
    /// The query protocol's answers.
    Xml,
    /// Prometheus' text format.
    OpenMetrics,
}

impl Format {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::AmazonJson => "application/x-amz-json-1.1",
            Self::Json => "application/json",
            Self::Xml => "text/xml",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }
}

/// An answer before it is HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the body is.
    pub format: Format,
    /// The body.
    pub body: Bytes,
    /// Whether the connection ends with this answer, because the request was not read to its end.
    pub close: bool,
    /// The methods there are, in an answer 405.
    pub allow: Option<&'static str>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(rename = "__type")]
    error_type: &'a str,
    message: &'a str,
}

impl Reply {
    /// A reply that leaves the connection open.
    pub fn new(status: StatusCode, format: Format, body: impl Into<Bytes>) -> Self {
        Self { status, format, body: body.into(), close: false, allow: None }
    }

    /// An error of the JSON protocol.
    pub fn json_error(status: StatusCode, error_type: &str, message: &str) -> Self {
        let body = serde_json::to_vec(&ErrorBody { error_type, message }).unwrap_or_default();
        Self::new(status, Format::AmazonJson, body)
    }

    /// The same reply, after which the connection is closed.
    pub fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// The HTTP answer. `headers` is any header map; it is emptied and its memory used again.
    pub fn into_response(self, id: RequestId, mut headers: HeaderMap) -> Response<Full<Bytes>> {
        headers.clear();
        headers.insert(CONTENT_TYPE, self.format.content_type());
        headers.insert(&REQUEST_ID, id.header());
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }
}
