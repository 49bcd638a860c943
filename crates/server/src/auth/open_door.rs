//! Callers without a credentials file: everybody is root of account `000000000000`.
//!
//! Nothing is verified; the `Authorization` header, if there is one that can be read, only says
//! which region's records the caller means.

use std::sync::Arc;

use arc_swap::ArcSwap;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use longshore_domain::Scope;

use super::authorization::Credential;
use super::{DEFAULT_REGION, is_region};
use crate::http::service::Caller;

/// The one account there is without a credentials file.
pub const OPEN_ACCOUNT: &str = "000000000000";

/// Callers remembered, so that a request costs no allocation; beyond that they are made anew.
const REMEMBERED: usize = 64;

/// Makes callers of everybody.
#[derive(Debug, Default)]
pub struct OpenDoor {
    known: ArcSwap<Vec<Arc<Caller>>>,
}

impl OpenDoor {
    /// The caller of a request: the region is that of its credential scope, else `us-east-1`.
    pub fn caller(&self, headers: &HeaderMap) -> Arc<Caller> {
        let known = self.known.load();
        let claimed = claimed_region(headers).unwrap_or(DEFAULT_REGION);
        let find = |region: &str| known.iter().find(|caller| &*caller.scope.region == region).cloned();
        if let Some(caller) = find(claimed) {
            return caller;
        }
        let region = if is_region(claimed) { claimed } else { DEFAULT_REGION };
        if let Some(caller) = find(region) {
            return caller;
        }
        let caller = Arc::new(Caller {
            scope: Scope::new(OPEN_ACCOUNT, region),
            principal: format!("arn:aws:iam::{OPEN_ACCOUNT}:root").into(),
            user_id: OPEN_ACCOUNT.into(),
        });
        if known.len() < REMEMBERED {
            self.known.rcu(|known| {
                let room = REMEMBERED - 1;
                known.iter().take(room).cloned().chain([Arc::clone(&caller)]).collect::<Vec<_>>()
            });
        }
        caller
    }
}

/// The region as the header claims it, whatever the rest of it looks like.
fn claimed_region(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let rest = match value.strip_prefix("AWS4-HMAC-SHA256 Credential=") {
        Some(rest) => rest,
        None => value.split_once("Credential=")?.1,
    };
    let end = rest.bytes().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(rest.len());
    Some(Credential::parse(rest.get(..end)?)?.region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    fn caller(authorization: Option<&str>) -> Arc<Caller> {
        let mut headers = HeaderMap::new();
        if let Some(text) = authorization {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(text).unwrap());
        }
        OpenDoor::default().caller(&headers)
    }

    #[test]
    fn the_region_comes_from_the_scope() {
        let signed = caller(Some(
            "AWS4-HMAC-SHA256 Credential=test/20261123/eu-west-3/ecs/aws4_request, SignedHeaders=host, Signature=0",
        ));
        assert_eq!(&*signed.scope.region, "eu-west-3");
        assert_eq!(&*signed.principal, "arn:aws:iam::000000000000:root");
        assert_eq!((&*signed.scope.account, &*signed.user_id), ("000000000000", "000000000000"));
    }

    #[test]
    fn what_cannot_be_read_means_us_east_1() {
        for text in [
            None,
            Some("Bearer abc"),
            Some("AWS4-HMAC-SHA256 Credential=a/b"),
            Some("AWS4-HMAC-SHA256 Credential=a/20261123/US EAST/ecs/aws4_request"),
            Some("AWS4-HMAC-SHA256 Credential=a/20261123/../ecs/aws4_request"),
        ] {
            assert_eq!(&*caller(text).scope.region, "us-east-1", "{text:?}");
        }
    }

    #[test]
    fn callers_are_remembered_up_to_a_bound() {
        let door = OpenDoor::default();
        let ask = |region: usize| {
            let mut headers = HeaderMap::new();
            let text = format!("AWS4-HMAC-SHA256 Credential=k/1/r-{region}/ecs/aws4_request");
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&text).unwrap());
            door.caller(&headers)
        };
        assert!(Arc::ptr_eq(&ask(1), &ask(1)));
        for region in 0..1000 {
            assert_eq!(*ask(region).scope.region, format!("r-{region}"));
        }
        assert_eq!(door.known.load().len(), REMEMBERED);
    }

    proptest! {
        #[test]
        fn no_header_panics(bytes in prop::collection::vec(32u8..=255, 0..200)) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.insert(AUTHORIZATION, value);
            }
            OpenDoor::default().caller(&headers);
        }
    }
}
