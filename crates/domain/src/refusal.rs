//! Why an operation is refused: a fact with the class Amazon gives it and the text a caller reads.
//!
//! Facts are free of transport; `api` maps the class to the modelled error of the operation. Texts that several
//! operations share stand here, so that each is written once; texts of one rule stand with that rule.

use std::fmt;

/// The exceptions of the ECS API model that Longshore answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The caller may not do this.
    AccessDenied,
    /// What was asked cannot be done: most rules of task definitions, and things that are not there.
    Client,
    /// No such cluster, or it is INACTIVE.
    ClusterNotFound,
    /// The cluster still has container instances.
    ClusterContainsContainerInstances,
    /// The cluster still has services.
    ClusterContainsServices,
    /// The cluster still has tasks.
    ClusterContainsTasks,
    /// A client token was used before with other parameters.
    Conflict,
    /// A parameter's shape, a combination of parameters, or an identifier is wrong.
    InvalidParameter,
    /// A quota is exhausted.
    LimitExceeded,
    /// The platform version is unknown.
    PlatformUnknown,
    /// The resource to tag is not there.
    ResourceNotFound,
    /// No such service.
    ServiceNotFound,
    /// Something that is not built yet was asked for.
    UnsupportedFeature,
    /// The server is behind; the caller should try again.
    Throttling,
    /// The server could not do it.
    Server,
}

impl ErrorClass {
    /// The `__type` that clients match on.
    pub fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::Client => "ClientException",
            Self::ClusterNotFound => "ClusterNotFoundException",
            Self::ClusterContainsContainerInstances => "ClusterContainsContainerInstancesException",
            Self::ClusterContainsServices => "ClusterContainsServicesException",
            Self::ClusterContainsTasks => "ClusterContainsTasksException",
            Self::Conflict => "ConflictException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::LimitExceeded => "LimitExceededException",
            Self::PlatformUnknown => "PlatformUnknownException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ServiceNotFound => "ServiceNotFoundException",
            Self::UnsupportedFeature => "UnsupportedFeatureException",
            Self::Throttling => "ThrottlingException",
            Self::Server => "ServerException",
        }
    }
}

/// A refusal: class, text, and the resources a conflict names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The exception.
    pub class: ErrorClass,
    /// Amazon's text.
    pub message: String,
    /// ARNs, only with [`ErrorClass::Conflict`].
    pub resource_ids: Vec<String>,
}

impl Refusal {
    /// A refusal of this class with this text.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), resource_ids: Vec::new() }
    }

    /// A `ClientException`.
    pub fn client(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Client, message)
    }

    /// An `InvalidParameterException`.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::InvalidParameter, message)
    }

    /// The cluster is not there.
    pub fn cluster_not_found() -> Self {
        Self::new(ErrorClass::ClusterNotFound, "Cluster not found.")
    }

    /// The cluster was deleted.
    pub fn cluster_inactive() -> Self {
        Self::new(ErrorClass::ClusterNotFound, "The referenced cluster was inactive.")
    }

    /// The service is not there.
    pub fn service_not_found() -> Self {
        Self::new(ErrorClass::ServiceNotFound, "Service not found.")
    }

    /// The server could not do it; the cause stands in its log, never in an answer.
    pub fn server() -> Self {
        Self::new(ErrorClass::Server, "Service Unavailable. Please try again later.")
    }

    /// The server is behind. Every AWS client retries it.
    pub fn throttled() -> Self {
        Self::new(ErrorClass::Throttling, "Rate exceeded")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.code(), self.message)
    }
}

impl std::error::Error for Refusal {}
