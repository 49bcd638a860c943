//! Family, containers and images: that they are there, are spelt legally, and are not too many.
//!
//! Everything after this may rely on containers being present, named, and named differently.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::ContainerDefinition;

use super::{invalid_characters, null_or_empty, too_long};
use crate::Refusal;
use crate::task_definition::draft::{Draft, filled};

/// Containers a definition may have.
const MOST_CONTAINERS: usize = 10;
const MOST_CHARACTERS: usize = 255;

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    check_name("Family", draft.family)?;
    if draft.containers.is_empty() {
        return Err(Refusal::client("Container list cannot be empty."));
    }
    if draft.containers.len() > MOST_CONTAINERS {
        return Err(Refusal::client("Too many containers."));
    }
    for container in draft.containers {
        check_container(container)?;
    }
    let names: BTreeSet<_> = draft.containers.iter().map(|container| &container.name).collect();
    if names.len() < draft.containers.len() {
        return Err(Refusal::client("Container names must be unique within a Task Definition."));
    }
    Ok(())
}

fn check_container(container: &ContainerDefinition) -> Result<(), Refusal> {
    check_name("Container.name", container.name.as_deref())?;
    check_image(filled(&container.image))
}

/// 1–255 letters, digits, `-` and `_`. Also for volumes.
pub(super) fn check_name(what: &str, name: Option<&str>) -> Result<(), Refusal> {
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| null_or_empty(what))?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(invalid_characters(what));
    }
    if name.len() > MOST_CHARACTERS {
        return Err(too_long(what, MOST_CHARACTERS));
    }
    Ok(())
}

/// The 255 characters count up to the digest, which can only be SHA-256.
fn check_image(image: Option<&str>) -> Result<(), Refusal> {
    const WHAT: &str = "Container.image";
    let image = image.ok_or_else(|| null_or_empty(WHAT))?;
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:./#".contains(&byte);
    if name.is_empty() || !name.bytes().all(legal) || digest.is_some_and(|digest| !is_sha256(digest)) {
        return Err(invalid_characters(WHAT));
    }
    if name.len() > MOST_CHARACTERS {
        return Err(too_long(WHAT, MOST_CHARACTERS));
    }
    Ok(())
}

fn is_sha256(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
