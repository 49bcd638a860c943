//! What a network mode forbids its containers, and the proxy configuration that needs awsvpc.
//!
//! Port mappings have rules of their own beside this one.

use longshore_ecs_wire::shapes::ContainerDefinition;

use crate::Refusal;
use crate::task_definition::draft::{Draft, items};

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    let mode = draft.mode();
    for container in draft.containers {
        if mode != "bridge" && !items(&container.links).is_empty() {
            return Err(Refusal::client(format!("Links are not supported when networkMode={mode}.")));
        }
        if mode == "none" && !items(&container.port_mappings).is_empty() {
            return Err(Refusal::client("Port mappings are not supported when networkMode=none."));
        }
        if mode == "awsvpc" {
            check_awsvpc(container)?;
        }
    }
    check_proxy(draft)
}

fn check_awsvpc(container: &ContainerDefinition) -> Result<(), Refusal> {
    let given = [
        ("hostname is", container.hostname.is_some()),
        ("DNS servers are", !items(&container.dns_servers).is_empty()),
        ("Extra hosts are", !items(&container.extra_hosts).is_empty()),
        ("Disable Networking is", container.disable_networking == Some(true)),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((what, _)) => Err(Refusal::client(format!("{what} not supported on container when networkMode=awsvpc."))),
        None => Ok(()),
    }
}

fn check_proxy(draft: &Draft<'_>) -> Result<(), Refusal> {
    let Some(proxy) = draft.proxy_configuration else {
        return Ok(());
    };
    if draft.mode() != "awsvpc" {
        return Err(Refusal::client("APPMESH proxy configuration is only supported in networkMode=awsvpc."));
    }
    let name = proxy.container_name.as_deref().unwrap_or_default();
    if draft.has_container(name) {
        Ok(())
    } else {
        Err(Refusal::client(format!("Proxy container [{name}] does not exist.")))
    }
}
