//! Port mappings: numbers, ranges, names, and that no host port is asked for twice.
//!
//! In host and awsvpc mode the containers share one network namespace, so host ports there are the container ports.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::{ContainerDefinition, PortMapping, TransportProtocol};

use super::{invalid_characters, invalid_container_setting, too_long};
use crate::Refusal;
use crate::task_definition::draft::{Draft, items, name_of};

const MOST_NAME_CHARACTERS: usize = 64;
/// Ranges a container may have.
const MOST_RANGES: usize = 100;

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    let mode = draft.mode();
    let mut host_ports = BTreeSet::new();
    let mut names = BTreeSet::new();
    for container in draft.containers {
        for mapping in items(&container.port_mappings) {
            check_numbers(mapping, mode, name_of(container))?;
            check_name(mapping, &mut names)?;
            let host_port = if mode == "bridge" { mapping.host_port } else { mapping.container_port };
            let udp = is_udp(mapping);
            if let Some(port) = host_port.filter(|port| *port != 0)
                && !host_ports.insert((udp, port))
            {
                let protocol = if udp { "UDP" } else { "TCP" };
                return Err(Refusal::client(format!(
                    "{protocol} host port '{port}' is mapped multiple times in task."
                )));
            }
        }
        check_ranges(container, mode)?;
    }
    if mode == "awsvpc" { check_overlap(draft.containers) } else { Ok(()) }
}

/// Protocols other than udp count as tcp.
fn is_udp(mapping: &PortMapping) -> bool {
    mapping.protocol == Some(TransportProtocol::Udp)
}

fn check_numbers(mapping: &PortMapping, mode: &str, container: &str) -> Result<(), Refusal> {
    let range = mapping.container_port_range.is_some();
    match mapping.container_port {
        None if range => {}
        Some(port) if !range && (1..=65535).contains(&port) => {}
        _ => return Err(invalid_container_setting("containerPort", container)),
    }
    let Some(host_port) = mapping.host_port else {
        return Ok(());
    };
    if range || !(0..=65535).contains(&host_port) {
        return Err(invalid_container_setting("hostPort", container));
    }
    if mode != "bridge" && mapping.container_port != Some(host_port) {
        return Err(Refusal::client(format!(
            "When networkMode={mode}, the host ports and container ports in port mappings must match."
        )));
    }
    Ok(())
}

/// A name is at most 64 lower-case letters, digits, `_` and `-`, does not begin with `-`, and is given once.
fn check_name<'a>(mapping: &'a PortMapping, names: &mut BTreeSet<&'a str>) -> Result<(), Refusal> {
    let Some(name) = mapping.name.as_deref() else {
        return Ok(());
    };
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(legal) {
        return Err(invalid_characters("PortMapping.name"));
    }
    if name.len() > MOST_NAME_CHARACTERS {
        return Err(too_long("PortMapping.name", MOST_NAME_CHARACTERS));
    }
    if !names.insert(name) {
        return Err(Refusal::client("port mapping name is already used"));
    }
    Ok(())
}

fn check_ranges(container: &ContainerDefinition, mode: &str) -> Result<(), Refusal> {
    let texts: Vec<&str> =
        items(&container.port_mappings).iter().filter_map(|mapping| mapping.container_port_range.as_deref()).collect();
    if texts.is_empty() {
        return Ok(());
    }
    if mode == "host" {
        return Err(Refusal::client("Container port ranges are not supported when networkMode=host."));
    }
    if texts.len() > MOST_RANGES {
        return Err(Refusal::client("containerPortRanges can have at most 100 items."));
    }
    if texts.into_iter().any(|text| range(text).is_none()) {
        return Err(invalid_container_setting("containerPortRange", name_of(container)));
    }
    check_overlap(std::slice::from_ref(container))
}

/// Ports and ranges of containers that share one network namespace may not overlap.
///
/// Mappings without a range are compared by their host port elsewhere; here a range meets everything.
fn check_overlap(containers: &[ContainerDefinition]) -> Result<(), Refusal> {
    let mut taken: Vec<(bool, u16, u16, bool)> = Vec::new();
    for mapping in containers.iter().flat_map(|container| items(&container.port_mappings)) {
        let udp = is_udp(mapping);
        let (first, last, ranged) = match (mapping.container_port_range.as_deref(), mapping.container_port) {
            (Some(text), _) => match range(text) {
                Some((first, last)) => (first, last, true),
                None => continue,
            },
            (None, Some(port)) => match u16::try_from(port) {
                Ok(port) => (port, port, false),
                Err(_) => continue,
            },
            (None, None) => continue,
        };
        let overlaps = |&(other_udp, other_first, other_last, other_ranged): &(bool, u16, u16, bool)| {
            (ranged || other_ranged) && other_udp == udp && first <= other_last && other_first <= last
        };
        if taken.iter().any(overlaps) {
            return Err(Refusal::client("Container port is used multiple times in task."));
        }
        taken.push((udp, first, last, ranged));
    }
    Ok(())
}

/// `a-b`, both ports, a below b.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-')?;
    let port = |text: &str| -> Option<u16> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok().filter(|port| *port > 0) } else { None }
    };
    let (first, last) = (port(first)?, port(last)?);
    (first < last).then_some((first, last))
}
