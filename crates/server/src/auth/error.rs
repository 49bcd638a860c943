//! Why a request is not let in, and Amazon's words for it in both protocols.
//!
//! Facts first, one match for the JSON protocol, one for the query protocol (which has other codes
//! and answers most of them with 403). No text contains a secret; the only caller's bytes that are
//! repeated are those of the `Authorization` header, cut to a bounded length.

/// A refusal before the operation runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no `Authorization` header although credentials are configured.
    #[error("Missing Authentication Token")]
    MissingToken,
    /// The `Authorization` header or the date lacks a part, or a part cannot be read.
    #[error("{0}")]
    Incomplete(String),
    /// No such access key, or a session token that is not this key's.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The signature is not the one the secret key makes for this request.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// The signature cannot count here: time, scope, or a header that had to be signed.
    #[error("{0}")]
    Invalid(String),
    /// Refused because of where the request comes from (see [`super::host_guard`]).
    #[error("{0}")]
    Refused(String),
}

impl AuthError {
    /// Status and `__type` in the JSON protocol. Everything but [`AuthError::Refused`] is a 400
    /// there.
    pub fn json(&self) -> (u16, &'static str) {
        match self {
            Self::MissingToken => (400, "MissingAuthenticationTokenException"),
            Self::Incomplete(_) => (400, "IncompleteSignatureException"),
            Self::UnknownKey => (400, "UnrecognizedClientException"),
            Self::Mismatch | Self::Invalid(_) => (400, "InvalidSignatureException"),
            Self::Refused(_) => (403, "AccessDeniedException"),
        }
    }

    /// Status and `Code` in the query protocol.
    pub fn query(&self) -> (u16, &'static str) {
        match self {
            Self::MissingToken => (403, "MissingAuthenticationToken"),
            Self::Incomplete(_) => (400, "IncompleteSignature"),
            Self::UnknownKey => (403, "InvalidClientTokenId"),
            Self::Mismatch | Self::Invalid(_) => (403, "SignatureDoesNotMatch"),
            Self::Refused(_) => (403, "AccessDenied"),
        }
    }
}
