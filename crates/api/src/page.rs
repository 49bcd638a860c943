//! Pages of the list operations that cut them from an ordered table: page size, and the binding of their tokens.
//!
//! A token is bound to operation, scope and filters; its cursor is the last item of the page it came with. So an item
//! that is there from the first page to the last is listed exactly once, whatever comes and goes meanwhile.

use longshore_domain::{Refusal, Scope};
use longshore_store::State;

use crate::page_token::{self, PageToken, PageTokens};

/// The page size: `maxResults`, 100 if absent.
///
/// # Errors
/// InvalidParameterException beyond 1–100.
pub fn limit(max_results: Option<i32>) -> Result<usize, Refusal> {
    usize::try_from(max_results.unwrap_or(100))
        .ok()
        .filter(|limit| (1..=100).contains(limit))
        .ok_or_else(|| Refusal::invalid_parameter("maxResults should be between 1 and 100"))
}

/// What a token is good for.
pub struct Listing(Vec<u8>);

impl Listing {
    /// The listing of an operation in a scope, yet without filters.
    pub fn new(operation: &str, scope: &Scope) -> Self {
        Self(Vec::new()).by(operation.as_bytes()).by(scope.account.as_bytes()).by(scope.region.as_bytes())
    }

    /// The same with one more filter; always in the same order.
    #[must_use]
    pub fn by(mut self, filter: &[u8]) -> Self {
        self.0.extend((filter.len() as u64).to_be_bytes());
        self.0.extend(filter);
        self
    }

    /// The token of the page that ends with `cursor`.
    pub fn seal(&self, tokens: &PageTokens, state: &State, cursor: Vec<u8>) -> String {
        tokens.seal(&self.0, &PageToken { version: state.version(), cursor })
    }

    /// The cursor in a token.
    ///
    /// # Errors
    /// `Invalid token`: not of this listing, or of a state newer than this one.
    pub fn open(&self, tokens: &PageTokens, state: &State, token: Option<&str>) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(token) = token else { return Ok(None) };
        let token = tokens.open(&self.0, token)?;
        if token.version > state.version() {
            return Err(page_token::invalid());
        }
        Ok(Some(token.cursor))
    }

    /// [`Listing::open`] for a cursor that is text.
    ///
    /// # Errors
    /// As there.
    pub fn open_text(
        &self,
        tokens: &PageTokens,
        state: &State,
        token: Option<&str>,
    ) -> Result<Option<String>, Refusal> {
        let cursor = self.open(tokens, state, token)?;
        cursor.map(|bytes| String::from_utf8(bytes).map_err(|_| page_token::invalid())).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_domain::EcsId;

    #[test]
    fn page_sizes() {
        let refused = Err(Refusal::invalid_parameter("maxResults should be between 1 and 100"));
        for (given, size) in [(None, Ok(100)), (Some(1), Ok(1)), (Some(100), Ok(100))] {
            assert_eq!(limit(given), size);
        }
        for wrong in [0, -1, 101, i32::MIN, i32::MAX] {
            assert_eq!(limit(Some(wrong)), refused);
        }
    }

    #[test]
    fn a_token_is_bound_to_operation_scope_and_filters() {
        let tokens = PageTokens::new([EcsId([1; 16]), EcsId([2; 16])]);
        let (state, scope) = (State::default(), Scope::new("a", "r"));
        let token = Listing::new("X", &scope).by(b"f").seal(&tokens, &state, b"cursor".to_vec());
        let open = |listing: Listing| listing.open_text(&tokens, &state, Some(&token));
        assert_eq!(open(Listing::new("X", &scope).by(b"f")), Ok(Some("cursor".into())));
        for other in [
            Listing::new("Y", &scope).by(b"f"),
            Listing::new("X", &Scope::new("a", "other")).by(b"f"),
            Listing::new("X", &Scope::new("b", "r")).by(b"f"),
            Listing::new("X", &scope).by(b"g"),
            Listing::new("X", &scope),
            Listing::new("X", &scope).by(b"f").by(b""),
        ] {
            assert_eq!(open(other), Err(page_token::invalid()));
        }
        assert_eq!(Listing::new("X", &scope).open(&tokens, &state, None), Ok(None));
    }
}
