//! Links and `dependsOn`: that what they name is there, and that neither goes round in a circle.
//!
//! An essential container ends its task when it ends, so nothing can wait for its completion.

use longshore_ecs_wire::shapes::ContainerCondition;

use super::cycle::has_cycle;
use crate::Refusal;
use crate::task_definition::draft::{Draft, items, name_of};

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    check_links(draft)?;
    check_depends_on(draft)
}

/// A link is `name` or `name:alias`.
fn check_links(draft: &Draft<'_>) -> Result<(), Refusal> {
    let mut edges = Vec::new();
    for container in draft.containers {
        for link in items(&container.links) {
            let target = link.split_once(':').map_or(link.as_str(), |(target, _)| target);
            if !draft.has_container(target) {
                return Err(Refusal::client(format!("Cannot link to container '{target}' because it does not exist")));
            }
            edges.push((name_of(container), target));
        }
    }
    if has_cycle(edges) {
        return Err(Refusal::client("Container links should not have a cycle"));
    }
    Ok(())
}

fn check_depends_on(draft: &Draft<'_>) -> Result<(), Refusal> {
    let mut edges = Vec::new();
    for container in draft.containers {
        for dependency in items(&container.depends_on) {
            let name = dependency.container_name.as_deref().unwrap_or("null");
            let target =
                draft.containers.iter().find(|other| other.name.as_deref() == Some(name)).ok_or_else(|| {
                    Refusal::client(format!("Cannot depend on container + '{name}' because it does not exist"))
                })?;
            match dependency.condition {
                Some(ContainerCondition::Success | ContainerCondition::Complete) if target.essential != Some(false) => {
                    return Err(Refusal::client(
                        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
                    ));
                }
                Some(ContainerCondition::Healthy) if target.health_check.is_none() => {
                    return Err(Refusal::client(
                        "A dependency container with HEALTHY condition must have health check configured",
                    ));
                }
                _ => edges.push((name_of(container), name_of(target))),
            }
        }
    }
    if has_cycle(edges) {
        return Err(Refusal::client("Container dependencies should not have a cycle"));
    }
    Ok(())
}
