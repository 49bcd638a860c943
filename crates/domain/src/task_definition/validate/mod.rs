//! RegisterTaskDefinition's validation: the first rule broken, in a fixed order.
//!
//! Amazon stops at the first error too. The order: size, names, enumerations, roles, task sizes, then area by area
//! over the containers, and tags last. Nearly every refusal is a ClientException.

mod containers;
mod cycle;
mod dependencies;
mod document_size;
mod enumerations;
mod environment;
pub(super) mod fargate;
mod health;
mod logging;
mod names;
mod network;
mod placement_constraints;
mod ports;
pub(super) mod roles;
pub(super) mod sizes;
pub(super) mod storage;
mod volumes;

use longshore_ecs_wire::operations::RegisterTaskDefinitionRequest;
use longshore_ecs_wire::shapes::Tag;

use super::draft::Draft;
use crate::Refusal;
use crate::tags::validate_tags;

/// Whether the definition may be registered.
///
/// # Errors
/// The first rule broken, with Amazon's class and text.
pub fn validate(request: &RegisterTaskDefinitionRequest) -> Result<(), Refusal> {
    document_size::check(request)?;
    let draft = Draft::from(request);
    names::check(&draft)?;
    enumerations::check(&draft)?;
    containers::check_essential(&draft)?;
    roles::check(draft.task_role_arn)?;
    roles::check(draft.execution_role_arn)?;
    sizes::check_task(&draft)?;
    if draft.requires_fargate() {
        fargate::check_task(&draft)?;
    }
    sizes::check_containers(&draft)?;
    network::check(&draft)?;
    ports::check(&draft)?;
    environment::check(&draft)?;
    containers::check(&draft)?;
    health::check(&draft)?;
    logging::check(&draft)?;
    volumes::check(&draft)?;
    dependencies::check(&draft)?;
    placement_constraints::check(&draft)?;
    storage::check(&draft)?;
    if draft.requires_fargate() {
        fargate::check_members(&draft)?;
    }
    check_external(&draft)?;
    check_tags(request.tags.as_deref())
}

/// EXTERNAL instances have no network interfaces to give to tasks.
fn check_external(draft: &Draft<'_>) -> Result<(), Refusal> {
    let external = longshore_ecs_wire::shapes::Compatibility::External;
    if draft.mode() == "awsvpc" && draft.requires_compatibilities.contains(&external) {
        return Err(Refusal::client("Tasks using the External launch type do not support networkMode awsvpc."));
    }
    Ok(())
}

/// An explicit empty list is refused here, though nowhere else.
fn check_tags(tags: Option<&[Tag]>) -> Result<(), Refusal> {
    match tags {
        None => Ok(()),
        Some([]) => Err(Refusal::client("Tags can not be empty.")),
        Some(tags) => validate_tags(tags),
    }
}

/// By the text seen for `restartAttemptPeriod`.
fn must_be_between(setting: &str, container: &str, least: i32, most: i32) -> Refusal {
    Refusal::client(format!("the '{setting}' setting for container '{container}' must be between {least} and {most}"))
}

/// A member that lies outside its bounds; absent members are within.
fn check_between(setting: &str, container: &str, value: Option<i32>, least: i32, most: i32) -> Result<(), Refusal> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(must_be_between(setting, container, least, most)),
        _ => Ok(()),
    }
}

fn invalid_container_setting(setting: &str, container: &str) -> Refusal {
    Refusal::client(format!("Invalid '{setting}' setting for container '{container}'."))
}

fn null_or_empty(what: &str) -> Refusal {
    Refusal::client(format!("{what} should not be null or empty."))
}

fn invalid_characters(what: &str) -> Refusal {
    Refusal::client(format!("{what} contains invalid characters."))
}

/// The text seen for `Container.image`, which has no full stop.
fn too_long(what: &str, most: usize) -> Refusal {
    Refusal::client(format!("{what} should be {most} characters or less"))
}

#[cfg(test)]
mod tests;
