//! Reading the `Authorization` header of Signature Version 4, without copying it.
//!
//! `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`
//! The parts are returned as they stand; whether they are right is [`super::key_ring`]'s question.

use super::error::AuthError;

/// How much of a caller's header an error text repeats, in characters.
const ECHO_LIMIT: usize = 512;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parts of one header value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    /// Who claims to have signed, for what.
    pub credential: Credential<'a>,
    /// The names of the signed headers, separated by `;`, as given.
    pub signed_headers: &'a str,
    /// The signature as given: 64 hexadecimal digits if it is any good.
    pub signature: &'a str,
}

/// The `Credential` parameter: an access key and the scope it signs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credential<'a> {
    /// The access key id.
    pub access_key: &'a str,
    /// `YYYYMMDD`.
    pub date: &'a str,
    /// The region, which here chooses the scope of the records.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// `aws4_request`.
    pub terminator: &'a str,
}

impl<'a> Credential<'a> {
    /// Splits at the slashes; `None` unless there are exactly five parts.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (access_key, rest) = cut_at(text, b'/')?;
        let (date, rest) = cut_at(rest, b'/')?;
        let (region, rest) = cut_at(rest, b'/')?;
        let (service, terminator) = cut_at(rest, b'/')?;
        let credential = Self { access_key, date, region, service, terminator };
        (!terminator.as_bytes().contains(&b'/')).then_some(credential)
    }
}

impl<'a> Authorization<'a> {
    /// Reads a header value. The texts of the errors name every missing part at once, as Amazon's
    /// do; `has_date` says whether the request carries a date header, whose absence is told in the
    /// same breath.
    pub fn parse(value: &'a str, has_date: bool) -> Result<Self, AuthError> {
        let parameters = match cut_at(value, b' ') {
            Some((ALGORITHM, parameters)) => parameters,
            Some((other, _)) if other.starts_with("AWS4-") => {
                return Err(AuthError::Incomplete(format!("Unsupported AWS 'algorithm': '{}'.", cut(other))));
            }
            _ => value.strip_prefix(ALGORITHM).unwrap_or_default(),
        };
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        let mut rest = Some(parameters);
        while let Some(text) = rest {
            let (parameter, after) = cut_at(text, b',').map_or((text, None), |(start, after)| (start, Some(after)));
            rest = after;
            match cut_at(parameter.trim_ascii(), b'=') {
                Some(("Credential", text)) => credential = Some(text),
                Some(("SignedHeaders", text)) => signed_headers = Some(text),
                Some(("Signature", text)) => signature = Some(text),
                _ => {}
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature), true) =
            (credential, signed_headers, signature, has_date)
        else {
            return Err(missing_parts(value, credential, signature, signed_headers, has_date));
        };
        let credential = Credential::parse(credential).ok_or_else(|| {
            AuthError::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'.",
                cut(credential)
            ))
        })?;
        Ok(Self { credential, signed_headers, signature })
    }
}

fn missing_parts(
    value: &str,
    credential: Option<&str>,
    signature: Option<&str>,
    signed_headers: Option<&str>,
    has_date: bool,
) -> AuthError {
    let mut text = String::new();
    for (part, name) in [(credential, "Credential"), (signature, "Signature"), (signed_headers, "SignedHeaders")] {
        if part.is_none() {
            text.push_str(&format!("Authorization header requires '{name}' parameter. "));
        }
    }
    if !has_date {
        text.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    }
    text.push_str("Authorization=");
    text.push_str(cut(value));
    AuthError::Incomplete(text)
}

/// A text before and after the first of this ASCII character; `split_once` without its machinery,
/// which costs more than texts this short.
pub(crate) fn cut_at(text: &str, at: u8) -> Option<(&str, &str)> {
    let index = memchr::memchr(at, text.as_bytes())?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// The start of a text, at most [`ECHO_LIMIT`] characters of it.
pub(crate) fn cut(text: &str) -> &str {
    text.char_indices().nth(ECHO_LIMIT).map_or(text, |(end, _)| text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/ecs/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=abc";

    #[test]
    fn a_whole_header_is_split_into_its_parts() {
        let parsed = Authorization::parse(GOOD, true).unwrap();
        assert_eq!(parsed.credential.access_key, "AKID");
        assert_eq!(parsed.credential.date, "20150830");
        assert_eq!(parsed.credential.region, "us-east-1");
        assert_eq!(parsed.credential.service, "ecs");
        assert_eq!(parsed.credential.terminator, "aws4_request");
        assert_eq!(parsed.signed_headers, "host;x-amz-date");
        assert_eq!(parsed.signature, "abc");
        assert_eq!(Authorization::parse(&GOOD.replace(", ", ","), true), Ok(parsed), "the space is optional");
    }

    #[test]
    fn every_missing_part_is_named() {
        let text = |value: &str, has_date| match Authorization::parse(value, has_date) {
            Err(AuthError::Incomplete(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            text("Bearer x", false),
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires \
             existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=Bearer x"
        );
        assert_eq!(
            text("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=f", true),
            "Authorization header requires 'SignedHeaders' parameter. \
             Authorization=AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=f"
        );
        assert!(
            text("AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=h, Signature=f", true).contains("got 'a/b/c/d'")
        );
        assert!(
            text("AWS4-HMAC-SHA256 Credential=a/b/c/d/e/f, SignedHeaders=h, Signature=f", true).contains("exactly 5")
        );
        assert!(text("AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d/e", true).contains("'AWS4-ECDSA-P256-SHA256'"));
        assert!(text("", true).ends_with("Authorization="));
    }

    #[test]
    fn an_error_repeats_only_the_start_of_a_long_header() {
        let long = "é".repeat(5000);
        let Err(AuthError::Incomplete(text)) = Authorization::parse(&long, true) else { panic!() };
        assert_eq!(text.matches('é').count(), ECHO_LIMIT);
    }
}
