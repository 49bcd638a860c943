//! From a result to bytes: JSON 1.1 bodies, and refusals as the operation's modelled errors.

use bytes::Bytes;
use longshore_domain::{ErrorClass, Refusal};
use longshore_ecs_wire::Operation;
use serde::Serialize;

/// Status and body of an answer; the body is JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Bytes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    #[serde(rename = "__type")]
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    resource_ids: &'a [String],
}

impl Answer {
    /// A success.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: 200, body: body.into() }
    }

    /// A success with a response as its body.
    pub fn json<T: Serialize>(response: &T) -> Self {
        match serde_json::to_vec(response) {
            Ok(body) => Self::ok(body),
            Err(error) => {
                tracing::error!(%error, "a response cannot be encoded");
                Self::error(500, "ServerException", Some(&Refusal::server().message), &[])
            }
        }
    }

    /// An error by its code.
    pub fn error(status: u16, code: &str, message: Option<&str>, resource_ids: &[String]) -> Self {
        let body = serde_json::to_vec(&ErrorBody { code, message, resource_ids }).unwrap_or_default();
        Self { status, body: body.into() }
    }

    /// A refusal, as the error that the operation's model has for it.
    ///
    /// What every operation can answer (throttling, access, the server's own faults) needs no model. A class that the
    /// operation does not model becomes the one of its two general exceptions that it has.
    pub fn refused(operation: Operation, refusal: &Refusal) -> Self {
        let (status, common) = match refusal.class {
            ErrorClass::Server => (500, true),
            ErrorClass::Throttling | ErrorClass::AccessDenied => (400, true),
            ErrorClass::Client
            | ErrorClass::ClusterNotFound
            | ErrorClass::ClusterContainsContainerInstances
            | ErrorClass::ClusterContainsServices
            | ErrorClass::ClusterContainsTasks
            | ErrorClass::Conflict
            | ErrorClass::InvalidParameter
            | ErrorClass::LimitExceeded
            | ErrorClass::PlatformUnknown
            | ErrorClass::ResourceNotFound
            | ErrorClass::ServiceNotFound
            | ErrorClass::UnsupportedFeature => (400, false),
        };
        let modelled = |code: &str| operation.errors().contains(&code);
        let code = refusal.class.code();
        let code = if common || modelled(code) {
            code
        } else if modelled("InvalidParameterException") && refusal.class != ErrorClass::Client {
            "InvalidParameterException"
        } else {
            "ClientException"
        };
        Self::error(status, code, Some(&refusal.message), &refusal.resource_ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(answer: &Answer) -> &str {
        std::str::from_utf8(&answer.body).unwrap()
    }

    #[test]
    fn a_refusal_becomes_a_modelled_error() {
        let answer = Answer::refused(Operation::ListTasks, &Refusal::cluster_not_found());
        assert_eq!(answer.status, 400);
        assert_eq!(body(&answer), r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#);
    }

    #[test]
    fn what_an_operation_does_not_model_becomes_what_it_does() {
        let answer = Answer::refused(Operation::RegisterTaskDefinition, &Refusal::cluster_not_found());
        assert_eq!(body(&answer), r#"{"__type":"InvalidParameterException","message":"Cluster not found."}"#);
    }

    #[test]
    fn a_conflict_names_its_resources() {
        let mut refusal = Refusal::new(ErrorClass::Conflict, "x");
        refusal.resource_ids = vec!["arn".into()];
        let answer = Answer::refused(Operation::RunTask, &refusal);
        assert_eq!(body(&answer), r#"{"__type":"ConflictException","message":"x","resourceIds":["arn"]}"#);
    }
}
