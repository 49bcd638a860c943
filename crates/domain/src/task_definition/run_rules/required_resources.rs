//! What a run of a definition takes of a machine.
//!
//! Task-level cpu and memory count if set, otherwise the containers' sums: cpu, and memoryReservation or else memory
//! of each. Fixed host ports count too: in bridge mode the host ports given, in host mode every container port.

use longshore_ecs_wire::shapes::{PortMapping, TaskDefinition, TaskOverride};

use super::effective_containers;
use crate::Resources;
use crate::task_definition::draft::{items, mode_name};
use crate::task_definition::task_size;

/// The task-level CPU units of a run, the override's before the definition's.
pub fn task_cpu(definition: &TaskDefinition, overrides: Option<&TaskOverride>) -> Option<u32> {
    let given = overrides.and_then(|overrides| overrides.cpu.as_deref());
    given.or(definition.cpu.as_deref()).and_then(task_size::cpu_units)
}

/// The task-level MiB of a run, the override's before the definition's.
pub fn task_memory(definition: &TaskDefinition, overrides: Option<&TaskOverride>) -> Option<u32> {
    let given = overrides.and_then(|overrides| overrides.memory.as_deref());
    given.or(definition.memory.as_deref()).and_then(task_size::memory_mib)
}

/// CPU units, MiB and fixed host ports of a run; ports ascending, each once.
pub fn required_resources(definition: &TaskDefinition, overrides: Option<&TaskOverride>) -> Resources {
    let containers = effective_containers(definition, overrides);
    let sum = |sizes: &mut dyn Iterator<Item = Option<i32>>| -> u64 {
        sizes.flatten().filter_map(|size| u64::try_from(size).ok()).sum()
    };
    let cpu = task_cpu(definition, overrides).map(u64::from);
    let memory = task_memory(definition, overrides).map(u64::from);
    let mut resources = Resources {
        cpu: cpu.unwrap_or_else(|| sum(&mut containers.iter().map(|container| container.cpu))),
        memory: memory.unwrap_or_else(|| {
            sum(&mut containers.iter().map(|container| container.memory_reservation.or(container.memory)))
        }),
        ..Resources::default()
    };
    let mode = mode_name(definition.network_mode.as_ref());
    for mapping in containers.iter().flat_map(|container| items(&container.port_mappings)) {
        if let Some(port) = fixed_host_port(mapping, mode) {
            resources.ports_mut(mapping.protocol.as_ref()).push(port);
        }
    }
    for ports in [&mut resources.tcp_ports, &mut resources.udp_ports] {
        ports.sort_unstable();
        ports.dedup();
    }
    resources
}

fn fixed_host_port(mapping: &PortMapping, mode: &str) -> Option<u16> {
    let port = match mode {
        "bridge" => mapping.host_port,
        "host" => mapping.container_port,
        _ => None,
    };
    port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}
