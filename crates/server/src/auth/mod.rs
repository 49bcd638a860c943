//! Who is calling: verified signatures, or the open door of a laptop.
//!
//! With a credentials file every request has to be signed by one of its keys ([`key_ring`]).
//! Without one every caller is the root of account `000000000000` ([`open_door`]), and requests
//! that a web page could have made are refused ([`host_guard`]). [`Authenticator`] is the one door
//! the HTTP side knows. Nothing here panics on any bytes a client can send, and no secret is
//! printed, not even in `Debug`.

pub(crate) mod amz_date;
pub(crate) mod authorization;
pub(crate) mod canonical;
pub mod credentials_file;
pub mod error;
pub mod host_guard;
pub mod key_ring;
pub mod open_door;
pub mod principal;
mod recognised;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::HeaderMap;
use longshore_domain::Scope;

pub use canonical::SignedRequest;
pub use error::AuthError;
pub use key_ring::{Clock, KeyRing};
pub use open_door::OpenDoor;
pub use recognised::Recognised;

use crate::http::service::Caller;

/// The region of a caller who names none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// A service's name in the credential scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningName(pub &'static str);

impl SigningName {
    /// Amazon ECS.
    pub const ECS: Self = Self("ecs");
    /// The Security Token Service, of which GetCallerIdentity is served here.
    pub const STS: Self = Self("sts");
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for hashing and comparing only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// One entry of the credentials file.
#[derive(Debug, Clone)]
pub struct Key {
    /// The access key id, as it stands in the credential scope.
    pub access_key_id: Arc<str>,
    /// The secret behind it.
    pub secret_access_key: Secret,
    /// The twelve-digit account whose records this key sees.
    pub account: Arc<str>,
    /// The ARN of who this key stands for.
    pub principal: Arc<str>,
    /// The id of who this key stands for (see [`principal::user_id`]).
    pub user_id: Arc<str>,
    /// The session token that must come with this key, if it is a temporary one.
    pub session_token: Option<Secret>,
}

impl Key {
    fn caller(&self, region: &str) -> Caller {
        Caller {
            scope: Scope::new(Arc::clone(&self.account), region),
            principal: Arc::clone(&self.principal),
            user_id: Arc::clone(&self.user_id),
        }
    }
}

/// How callers are recognised.
#[derive(Debug)]
pub enum Authenticator {
    /// No credentials file: everybody is root, on loopback only.
    Open(OpenDoor),
    /// A credentials file: every request must be signed.
    Keys(KeyRing),
}

impl Authenticator {
    /// The door without credentials.
    pub fn open() -> Self {
        Self::Open(OpenDoor::default())
    }

    /// The door with these keys, by the machine's clock.
    pub fn with_keys(keys: Vec<Key>) -> Self {
        Self::Keys(KeyRing::new(keys, Arc::new(SystemTime::now)))
    }

    /// Looks at the head of a request before its body is read.
    ///
    /// # Errors
    /// [`AuthError::Refused`] when a web page could have sent it and no signature protects us.
    pub fn admit(&self, headers: &HeaderMap, authority: Option<&str>) -> Result<(), AuthError> {
        match self {
            Self::Open(_) => host_guard::check(headers, authority),
            Self::Keys(_) => Ok(()),
        }
    }

    /// Says who sent a request for `service`.
    ///
    /// # Errors
    /// With keys, the first reason not to believe the signature. Without, never.
    pub fn authenticate(&self, request: &SignedRequest<'_>, service: SigningName) -> Result<Recognised, AuthError> {
        match self {
            Self::Open(door) => Ok(door.caller(request.headers).into()),
            Self::Keys(ring) => ring.verify(request, service),
        }
    }
}

/// Whether a text has the shape of a region name: 1 to 63 lower-case letters, digits and single
/// hyphens, beginning with a letter. Names of one's own (`home-1`) are regions like Amazon's.
pub fn is_region(text: &str) -> bool {
    let shaped = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    shaped && starts && text.len() <= 63 && !text.ends_with('-') && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_names_have_a_shape() {
        for good in ["us-east-1", "us-gov-west-1", "eu-isoe-west-1", "local", "home-1"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["", "US-EAST-1", "us_east_1", "-a", "a-", "a--b", "1a", "us-east-1/x", "é", &"a".repeat(64)] {
            assert!(!is_region(bad), "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let key = Key {
            access_key_id: "AKID".into(),
            secret_access_key: Secret::new("hush".to_owned()),
            account: "123456789012".into(),
            principal: "arn:aws:iam::123456789012:root".into(),
            user_id: "123456789012".into(),
            session_token: Some(Secret::new("hush".to_owned())),
        };
        assert!(!format!("{key:?}").contains("hush"));
        assert!(!format!("{:?}", Authenticator::with_keys(vec![key])).contains("hush"));
    }
}
