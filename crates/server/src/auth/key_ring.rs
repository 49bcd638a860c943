//! Verification of Signature Version 4 against the configured keys.
//!
//! Every request is verified in full: time, scope, key, session token, signed headers, the hash of
//! the body that really arrived, and the signature in constant time. What is remembered between
//! requests is only the derived signing key of a (key, date, region, service), a few for each
//! access key, and only after a signature made with it was right; no verified request is.
//! An unsigned payload is never accepted: the hash is always taken over the body.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::amz_date;
use super::authorization::{Authorization, Credential, cut};
use super::canonical::{SignedRequest, hex, hex_sha256, signed_names, write_canonical_request};
use super::error::AuthError;
use super::{Key, Recognised, SigningName, is_region};
use crate::http::service::Caller;

/// Where the verifier reads the time; tests hand in their own.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How far a request's time may lie from ours, in seconds, either way.
const MAX_SKEW_SECONDS: i64 = 300;

/// Derived signing keys remembered for one access key.
const DERIVED_KEYS: usize = 16;

/// The configured keys and what was derived from them.
pub struct KeyRing {
    keys: HashMap<String, Entry>,
    clock: Clock,
}

struct Entry {
    key: Key,
    derived: ArcSwap<Vec<Arc<Derived>>>,
}

/// A signing key for one day, region and service, and the caller it stands for.
pub(super) struct Derived {
    date: String,
    region: String,
    service: SigningName,
    mac: Hmac<Sha256>,
    caller: Arc<Caller>,
}

impl Derived {
    /// Who signs with it.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    fn is_for(&self, credential: &Credential<'_>, service: SigningName) -> bool {
        self.date == credential.date && self.region == credential.region && self.service == service
    }

    fn check(&self, signature: &str, message: &[u8]) -> Result<(), AuthError> {
        let calculated = hex(&self.mac.clone().chain_update(message).finalize().into_bytes().into());
        let given = signature.as_bytes().try_into().map_err(|_| AuthError::Mismatch)?;
        if bool::from(words(&calculated).ct_eq(&words(given))) { Ok(()) } else { Err(AuthError::Mismatch) }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// The headers that matter here, found in one pass.
#[derive(Default)]
struct Found<'a> {
    authorization: Option<&'a HeaderValue>,
    amz_date: Option<&'a HeaderValue>,
    date: Option<&'a HeaderValue>,
    session_token: Option<&'a HeaderValue>,
    content_sha256: Option<&'a HeaderValue>,
    target: Option<&'a HeaderValue>,
}

impl<'a> Found<'a> {
    /// Finds them; each may stand once at most.
    fn of(headers: &'a HeaderMap) -> Result<Self, AuthError> {
        let mut found = Self::default();
        for (name, value) in headers {
            let place = match name.as_str() {
                "authorization" => &mut found.authorization,
                "x-amz-date" => &mut found.amz_date,
                "date" => &mut found.date,
                "x-amz-security-token" => &mut found.session_token,
                "x-amz-content-sha256" => &mut found.content_sha256,
                "x-amz-target" => &mut found.target,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(AuthError::Incomplete(format!("The header '{name}' must not be repeated.")));
            }
        }
        Ok(found)
    }
}

/// The time a request claims, as seconds and in the form that is signed.
struct RequestTime<'a> {
    seconds: i64,
    basic: Cow<'a, str>,
}

impl KeyRing {
    /// A ring of these keys. Of two with the same access key id the last one counts; the
    /// credentials file refuses that case.
    pub fn new(keys: Vec<Key>, clock: Clock) -> Self {
        let entry = |key: Key| {
            let derived = ArcSwap::from_pointee(Vec::new());
            (key.access_key_id.to_string(), Entry { key, derived })
        };
        Self { keys: keys.into_iter().map(entry).collect(), clock }
    }

    /// Says who signed this request for `service`.
    ///
    /// # Errors
    /// The first reason not to believe the signature, in the order: header, time, scope, key,
    /// session token, signed headers, signature.
    pub fn verify(&self, request: &SignedRequest<'_>, service: SigningName) -> Result<Recognised, AuthError> {
        let found = Found::of(request.headers)?;
        let value = found.authorization.ok_or(AuthError::MissingToken)?;
        let value = match value.to_str() {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(value.as_bytes()),
        };
        let has_date = found.amz_date.or(found.date).is_some();
        let authorization = Authorization::parse(&value, has_date)?;
        let time = request_time(&found)?;
        check_skew(&time, amz_date::unix_seconds((self.clock)()))?;
        check_scope(&authorization.credential, &time, service)?;
        let entry = self.keys.get(authorization.credential.access_key).ok_or(AuthError::UnknownKey)?;
        entry.check_session_token(found.session_token)?;
        check_signed_headers(authorization.signed_headers, &found)?;
        let message = string_to_sign(request, &found, &authorization, &time).ok_or(AuthError::Mismatch)?;
        entry.check_signature(&authorization, service, &message)
    }
}

impl Entry {
    fn check_session_token(&self, given: Option<&HeaderValue>) -> Result<(), AuthError> {
        let right = match (&self.key.session_token, given.map(HeaderValue::as_bytes)) {
            (None, None) => true,
            (Some(expected), Some(given)) => bool::from(expected.expose().as_bytes().ct_eq(given)),
            _ => false,
        };
        if right { Ok(()) } else { Err(AuthError::UnknownKey) }
    }

    fn check_signature(
        &self,
        authorization: &Authorization<'_>,
        service: SigningName,
        message: &[u8],
    ) -> Result<Recognised, AuthError> {
        let Authorization { credential, signature, .. } = authorization;
        let known = self.derived.load();
        let matching = known.iter().enumerate().find(|(_, derived)| derived.is_for(credential, service));
        if let Some((index, derived)) = matching {
            derived.check(signature, message)?;
            return Recognised::known(known, index).ok_or(AuthError::Mismatch);
        }
        let derived = Arc::new(self.derive(credential.date, credential.region, service));
        derived.check(signature, message)?;
        self.remember(&derived);
        Ok(Arc::clone(&derived.caller).into())
    }

    fn derive(&self, date: &str, region: &str, service: SigningName) -> Derived {
        let secret = format!("AWS4{}", self.key.secret_access_key.expose());
        let mut key = secret.into_bytes();
        for part in [date, region, service.0, "aws4_request"] {
            key = hmac_sha256(&key).chain_update(part).finalize().into_bytes().to_vec();
        }
        Derived {
            date: date.to_owned(),
            region: region.to_owned(),
            service,
            mac: hmac_sha256(&key),
            caller: Arc::new(self.key.caller(region)),
        }
    }

    fn remember(&self, derived: &Arc<Derived>) {
        self.derived.rcu(|known| {
            let surplus = (known.len() + 1).saturating_sub(DERIVED_KEYS);
            let mut next: Vec<_> = known.iter().skip(surplus).cloned().collect();
            next.push(Arc::clone(derived));
            next
        });
    }
}

/// A signature as eight words, which compare in constant time faster than 64 bytes.
fn words(signature: &[u8; 64]) -> [u64; 8] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(signature.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

fn hmac_sha256(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn request_time<'a>(found: &Found<'a>) -> Result<RequestTime<'a>, AuthError> {
    let value = found.amz_date.or(found.date);
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(seconds) = amz_date::parse_basic(text) {
        return Ok(RequestTime { seconds, basic: Cow::Borrowed(text) });
    }
    match amz_date::parse_http(text) {
        Some(seconds) if found.amz_date.is_none() => {
            Ok(RequestTime { seconds, basic: Cow::Owned(amz_date::format_basic(seconds)) })
        }
        _ => Err(AuthError::Incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
            cut(text)
        ))),
    }
}

fn check_skew(time: &RequestTime<'_>, now: i64) -> Result<(), AuthError> {
    let print = amz_date::format_basic;
    let (earliest, latest) = (now - MAX_SKEW_SECONDS, now + MAX_SKEW_SECONDS);
    let text = if time.seconds < earliest {
        format!("Signature expired: {} is now earlier than {} ({} - 5 min.)", time.basic, print(earliest), print(now))
    } else if time.seconds > latest {
        format!(
            "Signature not yet current: {} is still later than {} ({} + 5 min.)",
            time.basic,
            print(latest),
            print(now)
        )
    } else {
        return Ok(());
    };
    Err(AuthError::Invalid(text))
}

fn check_scope(credential: &Credential<'_>, time: &RequestTime<'_>, service: SigningName) -> Result<(), AuthError> {
    let day = time.basic.get(..8).unwrap_or_default();
    let text = if credential.terminator != "aws4_request" {
        format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
            cut(credential.terminator)
        )
    } else if !is_region(credential.region) {
        "Credential should be scoped to a valid region.".to_owned()
    } else if credential.service != service.0 {
        format!("Credential should be scoped to correct service: '{}'.", service.0)
    } else if credential.date != day {
        format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', \
             from '{}'.",
            cut(credential.date),
            time.basic
        )
    } else {
        return Ok(());
    };
    Err(AuthError::Invalid(text))
}

/// The host and the date must be signed, and what chooses the operation and the identity.
fn check_signed_headers(signed: &str, found: &Found<'_>) -> Result<(), AuthError> {
    let mut missing = [
        Some("host"),
        found.amz_date.map(|_| "x-amz-date").or(Some("date")),
        found.target.map(|_| "x-amz-target"),
        found.session_token.map(|_| "x-amz-security-token"),
    ];
    for name in signed_names(signed) {
        if let Some(slot) = missing.iter_mut().find(|slot| **slot == Some(name)) {
            *slot = None;
        }
    }
    match missing.into_iter().flatten().next() {
        None => Ok(()),
        Some(name) => Err(AuthError::Invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."))),
    }
}

/// The text under the signature, or `None` when no signature can be right.
fn string_to_sign(
    request: &SignedRequest<'_>,
    found: &Found<'_>,
    authorization: &Authorization<'_>,
    time: &RequestTime<'_>,
) -> Option<Vec<u8>> {
    let payload_hash = hex_sha256(request.body);
    if found.content_sha256.is_some_and(|claimed| claimed.as_bytes() != payload_hash) {
        return None;
    }
    let mut canonical = Vec::with_capacity(1024);
    write_canonical_request(&mut canonical, request, authorization.signed_headers, &payload_hash)?;
    let hash = hex_sha256(&canonical);
    let Credential { date, region, service, terminator, .. } = authorization.credential;
    canonical.clear();
    for part in ["AWS4-HMAC-SHA256\n", &time.basic, "\n", date, "/", region, "/", service, "/", terminator, "\n"] {
        canonical.extend_from_slice(part.as_bytes());
    }
    canonical.extend_from_slice(&hash);
    Some(canonical)
}

#[cfg(test)]
#[path = "key_ring_tests.rs"]
mod tests;
