//! What a task takes of a machine, and the machine's ledger.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::TransportProtocol;
use serde::{Deserialize, Serialize};

/// CPU, memory and fixed host ports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// CPU units, 1,024 a core.
    pub cpu: u64,
    /// Memory in MiB.
    pub memory: u64,
    /// Fixed TCP host ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tcp_ports: Vec<u16>,
    /// Fixed UDP host ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub udp_ports: Vec<u16>,
}

impl Resources {
    /// The fixed host ports of a protocol; unknown protocols count as TCP, as on AWS.
    pub fn ports_mut(&mut self, protocol: Option<&TransportProtocol>) -> &mut Vec<u16> {
        match protocol {
            Some(TransportProtocol::Udp) => &mut self.udp_ports,
            _ => &mut self.tcp_ports,
        }
    }
}

/// The first resource a task lacks on a machine, in the order ECS names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// Not enough CPU units.
    Cpu,
    /// Not enough memory.
    Memory,
    /// A fixed host port is taken.
    Ports,
}

impl Lacking {
    /// The text of RunTask's `failures[].reason`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Cpu => "RESOURCE:CPU",
            Self::Memory => "RESOURCE:MEMORY",
            Self::Ports => "RESOURCE:PORTS",
        }
    }
}

/// What the tasks on one machine take together: the sum over all tasks that are not yet STOPPED.
///
/// FARGATE capacity and every container instance of the machine are views of this one ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// CPU units taken.
    pub cpu: u64,
    /// MiB taken.
    pub memory: u64,
    /// Fixed TCP host ports taken.
    pub tcp_ports: BTreeSet<u16>,
    /// Fixed UDP host ports taken.
    pub udp_ports: BTreeSet<u16>,
}

impl Ledger {
    /// Enters a task.
    pub fn take(&mut self, task: &Resources) {
        self.cpu += task.cpu;
        self.memory += task.memory;
        self.tcp_ports.extend(&task.tcp_ports);
        self.udp_ports.extend(&task.udp_ports);
    }

    /// Strikes a task out.
    pub fn give_back(&mut self, task: &Resources) {
        self.cpu = self.cpu.saturating_sub(task.cpu);
        self.memory = self.memory.saturating_sub(task.memory);
        for port in &task.tcp_ports {
            self.tcp_ports.remove(port);
        }
        for port in &task.udp_ports {
            self.udp_ports.remove(port);
        }
    }

    /// Whether a task fits beside what is taken, on a machine of `capacity`; else the first thing it lacks.
    ///
    /// `capacity`'s ports are those the machine keeps for itself.
    pub fn fits(&self, capacity: &Resources, task: &Resources) -> Result<(), Lacking> {
        if self.cpu + task.cpu > capacity.cpu {
            return Err(Lacking::Cpu);
        }
        if self.memory + task.memory > capacity.memory {
            return Err(Lacking::Memory);
        }
        let free = |wanted: &[u16], taken: &BTreeSet<u16>, kept: &[u16]| {
            wanted.iter().all(|port| !taken.contains(port) && !kept.contains(port))
        };
        if free(&task.tcp_ports, &self.tcp_ports, &capacity.tcp_ports)
            && free(&task.udp_ports, &self.udp_ports, &capacity.udp_ports)
        {
            Ok(())
        } else {
            Err(Lacking::Ports)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(cpu: u64, memory: u64, tcp: &[u16]) -> Resources {
        Resources { cpu, memory, tcp_ports: tcp.to_vec(), udp_ports: vec![] }
    }

    #[test]
    fn the_first_lack_is_named_in_the_order_of_ecs() {
        let capacity = task(1024, 512, &[22]);
        let mut ledger = Ledger::default();
        ledger.take(&task(1000, 500, &[80]));
        assert_eq!(ledger.fits(&capacity, &task(100, 100, &[80])), Err(Lacking::Cpu));
        assert_eq!(ledger.fits(&capacity, &task(24, 100, &[80])), Err(Lacking::Memory));
        assert_eq!(ledger.fits(&capacity, &task(24, 12, &[80])), Err(Lacking::Ports));
        assert_eq!(ledger.fits(&capacity, &task(24, 12, &[22])), Err(Lacking::Ports));
        assert_eq!(ledger.fits(&capacity, &task(24, 12, &[81])), Ok(()));
    }

    #[test]
    fn what_is_given_back_is_free_again() {
        let mut ledger = Ledger::default();
        ledger.take(&task(1, 2, &[80]));
        ledger.give_back(&task(1, 2, &[80]));
        assert_eq!(ledger, Ledger::default());
    }
}
