//! Image references and names as parts of a request path.
//!
//! Docker puts them into the path of its requests, and a client library may resolve `..` or cut at `?` there; so a
//! reference that a user wrote could reach another call. What does not look like a reference never leaves this module.

use crate::engine::EngineError;

/// `reference`, if it is safe in a request path.
///
/// # Errors
///
/// [`EngineError::Refused`] with Docker's own words for a malformed reference.
pub(crate) fn checked_image(reference: &str) -> Result<&str, EngineError> {
    let legal_bytes = reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:@+".contains(&byte));
    let legal_parts = reference.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if legal_bytes && legal_parts {
        Ok(reference)
    } else {
        Err(EngineError::Refused(format!("invalid reference format: {reference:?}")))
    }
}

/// A container's or network's name or id, if it is safe in a request path.
///
/// # Errors
///
/// [`EngineError::NotFound`]: nothing can have such a name.
pub(crate) fn checked_name<'a>(kind: &str, name: &'a str) -> Result<&'a str, EngineError> {
    let legal = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        && name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if legal { Ok(name) } else { Err(EngineError::NotFound(format!("no such {kind}: {name:?}"))) }
}

/// The reference with the tag that Docker assumes; without one, a pull would fetch every tag there is.
pub(crate) fn with_tag(reference: &str) -> String {
    let has_tag = repository(reference).len() < reference.len();
    if has_tag { reference.to_owned() } else { format!("{reference}:latest") }
}

/// The reference without tag and digest.
pub(crate) fn repository(reference: &str) -> &str {
    let without_digest = reference.split_once('@').map_or(reference, |(name, _)| name);
    match without_digest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => without_digest,
    }
}

/// The digest among `repository_digests` (`name@sha256:…`) under which the repository of `reference` knows the
/// image. A reference by content id (`sha256:…`) takes the first.
pub(crate) fn digest_of(reference: &str, repository_digests: &[String]) -> Option<String> {
    let wanted = familiar(repository(reference));
    let by_id = wanted == "sha256";
    repository_digests
        .iter()
        .filter_map(|entry| entry.split_once('@'))
        .find(|(name, _)| by_id || familiar(name) == wanted)
        .map(|(_, digest)| digest.to_owned())
}

/// A repository's name as Docker shows it, without the names of its default registry.
fn familiar(repository: &str) -> &str {
    let short = ["docker.io/", "index.docker.io/"]
        .iter()
        .find_map(|registry| repository.strip_prefix(registry))
        .unwrap_or(repository);
    short.strip_prefix("library/").unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_from_its_place_in_a_path() {
        for reference in ["busybox", "a/b:1", "127.0.0.1:5000/a/b:1@sha256:00", "sha256:ab", "localhost:5000/a"] {
            assert_eq!(checked_image(reference), Ok(reference));
        }
        for reference in ["", "/a", "a/", "a//b", "../containers/x", "a/../../b", "a?b", "a#b", "a b", "a%2e", "ä"] {
            assert!(matches!(checked_image(reference), Err(EngineError::Refused(_))), "{reference}");
        }
        assert_eq!(checked_name("container", "ecs-a_1.b"), Ok("ecs-a_1.b"));
        for name in ["", ".", "..", "a/b", "a?", "../a", "a b", "%2e"] {
            assert!(matches!(checked_name("container", name), Err(EngineError::NotFound(_))), "{name}");
        }
    }

    #[test]
    fn a_missing_tag_is_latest() {
        assert_eq!(with_tag("busybox"), "busybox:latest");
        assert_eq!(with_tag("127.0.0.1:5000/a"), "127.0.0.1:5000/a:latest");
        assert_eq!(with_tag("127.0.0.1:5000/a:1"), "127.0.0.1:5000/a:1");
        assert_eq!(with_tag("a@sha256:00"), "a@sha256:00");
    }

    #[test]
    fn the_digest_is_that_of_the_references_own_repository() {
        let digests = ["other@sha256:1".to_owned(), "127.0.0.1:5000/a@sha256:2".to_owned(), "busybox@sha256:3".into()];
        assert_eq!(digest_of("127.0.0.1:5000/a:1", &digests).as_deref(), Some("sha256:2"));
        assert_eq!(digest_of("docker.io/library/busybox", &digests).as_deref(), Some("sha256:3"));
        assert_eq!(digest_of("local:1", &digests), None);
        assert_eq!(digest_of("sha256:abc", &digests).as_deref(), Some("sha256:1"));
        assert_eq!(digest_of("busybox:1", &[]), None);
    }
}
