//! `nextToken`: opaque to the caller, authenticated with a key kept in the store.
//!
//! A token holds where the next page begins, for which listing it is good, and the store version of its page. It is
//! bound to what was asked (scope, operation, resolved filters) by the key: a forged, foreign or truncated token, or one
//! replayed with other filters, is refused, and a token from before a restart works. The page size may change between
//! pages.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use longshore_domain::{EcsId, Refusal};
use longshore_store::State;
use sha2::Sha256;
use subtle::ConstantTimeEq;

const FORMAT: u8 = 1;
const HEAD: usize = 1 + 8;
const TAG: usize = 16;

/// Name of the key in the store.
pub(crate) const KEY: &str = "page-token";

/// The page tokens of the key that the store holds; after a restore it may be another one.
#[derive(Clone)]
pub(crate) struct StoredKeyTokens {
    latest: Arc<ArcSwap<PageTokens>>,
}

impl StoredKeyTokens {
    /// With the key that the store holds at first.
    pub(crate) fn new(key: [EcsId; 2]) -> Self {
        Self { latest: Arc::new(ArcSwap::from_pointee(PageTokens::new(key))) }
    }

    /// The page tokens of this state's key; should it have none, of the latest one. Guarded, not owned: a count of
    /// owners would be written by every core for every page.
    pub(crate) fn of(&self, state: &State) -> Guard<Arc<PageTokens>> {
        let latest = self.latest.load();
        match state.secret(KEY) {
            Some(secret) if secret.key != latest.key => {
                let tokens = Arc::new(PageTokens::new(secret.key));
                self.latest.store(Arc::clone(&tokens));
                Guard::from_inner(tokens)
            }
            _ => latest,
        }
    }
}

/// Seals and opens page tokens.
#[derive(Clone)]
pub struct PageTokens {
    key: [EcsId; 2],
    keyed: Hmac<Sha256>,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken {
    /// Store version of the page it came with.
    pub version: u64,
    /// Where the next page begins; its form is the listing's own.
    pub cursor: Vec<u8>,
}

/// The refusal of every token that is not good here.
pub fn invalid() -> Refusal {
    Refusal::invalid_parameter("Invalid token")
}

impl PageTokens {
    /// With this key.
    pub fn new(key: [EcsId; 2]) -> Self {
        let bytes = [key[0].0, key[1].0].concat();
        let padded = &mut [0; 64];
        padded[..bytes.len()].copy_from_slice(&bytes);
        Self { key, keyed: Hmac::new((&*padded).into()) }
    }

    /// A token for the listing that `listing` describes: the same bytes for the same operation, scope and filters.
    pub fn seal(&self, listing: &[u8], token: &PageToken) -> String {
        let mut bytes = Vec::with_capacity(HEAD + token.cursor.len() + TAG);
        bytes.push(FORMAT);
        bytes.extend(token.version.to_be_bytes());
        bytes.extend(&token.cursor);
        let tag = self.tag(listing, &bytes);
        bytes.extend(tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a token says, if it was sealed for this listing.
    ///
    /// # Errors
    /// `Invalid token`.
    pub fn open(&self, listing: &[u8], text: &str) -> Result<PageToken, Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        if bytes.len() < HEAD + TAG || bytes[0] != FORMAT {
            return Err(invalid());
        }
        let (body, tag) = bytes.split_at(bytes.len() - TAG);
        if !bool::from(self.tag(listing, body).ct_eq(tag)) {
            return Err(invalid());
        }
        let mut version = [0; 8];
        version.copy_from_slice(&body[1..HEAD]);
        Ok(PageToken { version: u64::from_be_bytes(version), cursor: body[HEAD..].to_vec() })
    }

    fn tag(&self, listing: &[u8], body: &[u8]) -> [u8; TAG] {
        let mut mac = self.keyed.clone();
        mac.update(&(listing.len() as u64).to_be_bytes());
        mac.update(listing);
        mac.update(body);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens() -> PageTokens {
        PageTokens::new([EcsId([1; 16]), EcsId([2; 16])])
    }

    proptest! {
        #[test]
        fn a_token_says_what_was_sealed(version: u64, cursor: Vec<u8>, listing: Vec<u8>) {
            let token = PageToken { version, cursor };
            prop_assert_eq!(tokens().open(&listing, &tokens().seal(&listing, &token)), Ok(token));
        }

        #[test]
        fn any_other_token_is_refused(version: u64, cursor: Vec<u8>, at: prop::sample::Index, bit in 0..8u8, listing: Vec<u8>) {
            let text = tokens().seal(&listing, &PageToken { version, cursor });
            let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(tokens().open(&listing, &URL_SAFE_NO_PAD.encode(&bytes)), Err(invalid()));
            prop_assert_eq!(tokens().open(&listing, &text[..at]), Err(invalid()));
            let mut other = listing.clone();
            other.push(0);
            prop_assert_eq!(tokens().open(&other, &text), Err(invalid()));
            let stranger = PageTokens::new([EcsId([1; 16]), EcsId([3; 16])]);
            prop_assert_eq!(stranger.open(&listing, &text), Err(invalid()));
        }

        #[test]
        fn no_text_makes_a_panic(text: String) {
            prop_assert!(tokens().open(b"", &text).is_err());
        }
    }
}
