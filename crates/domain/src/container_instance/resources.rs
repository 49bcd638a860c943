//! `registeredResources` and `remainingResources` of a container instance: views of its machine and the machine's one
//! ledger.
//!
//! Every resource has all numeric members, zero where they say nothing. PORTS are sets of ports that are taken, so what
//! remains has more of them than what was registered: those the machine keeps for itself and the fixed host ports of
//! its tasks. Dynamic host ports are not listed.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::Resource;

use crate::Resources;
use crate::resources::Ledger;

/// What the machine offers in all.
pub fn registered(capacity: &Resources) -> Vec<Resource> {
    listed(capacity.cpu, capacity.memory, &capacity.tcp_ports, &capacity.udp_ports, &Ledger::default())
}

/// What it has left beside the tasks in its ledger, whichever cluster they are of.
pub fn remaining(capacity: &Resources, ledger: &Ledger) -> Vec<Resource> {
    let cpu = capacity.cpu.saturating_sub(ledger.cpu);
    let memory = capacity.memory.saturating_sub(ledger.memory);
    listed(cpu, memory, &capacity.tcp_ports, &capacity.udp_ports, ledger)
}

fn listed(cpu: u64, memory: u64, tcp: &[u16], udp: &[u16], ledger: &Ledger) -> Vec<Resource> {
    vec![
        integer("CPU", cpu),
        integer("MEMORY", memory),
        ports("PORTS", tcp, &ledger.tcp_ports),
        ports("PORTS_UDP", udp, &ledger.udp_ports),
    ]
}

fn resource(name: &str, kind: &str) -> Resource {
    Resource {
        name: Some(name.to_owned()),
        r#type: Some(kind.to_owned()),
        double_value: Some(0.0),
        long_value: Some(0),
        integer_value: Some(0),
        string_set_value: None,
    }
}

fn integer(name: &str, value: u64) -> Resource {
    Resource { integer_value: Some(i32::try_from(value).unwrap_or(i32::MAX)), ..resource(name, "INTEGER") }
}

fn ports(name: &str, kept: &[u16], taken: &BTreeSet<u16>) -> Resource {
    let all: BTreeSet<u16> = kept.iter().chain(taken).copied().collect();
    Resource { string_set_value: Some(all.iter().map(u16::to_string).collect()), ..resource(name, "STRINGSET") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(resources: &[Resource]) -> Vec<i32> {
        resources.iter().filter_map(|resource| resource.integer_value).collect()
    }

    fn sets(resources: &[Resource]) -> Vec<Vec<String>> {
        resources.iter().filter_map(|resource| resource.string_set_value.clone()).collect()
    }

    #[test]
    fn numbers_shrink_and_ports_grow() {
        let capacity = Resources { cpu: 2048, memory: 3955, tcp_ports: vec![2376, 22], udp_ports: vec![] };
        let mut ledger = Ledger::default();
        ledger.take(&Resources { cpu: 10, memory: 500, tcp_ports: vec![80, 8080], udp_ports: vec![53] });
        let (all, left) = (registered(&capacity), remaining(&capacity, &ledger));
        assert_eq!(numbers(&all), [2048, 3955, 0, 0]);
        assert_eq!(numbers(&left), [2038, 3455, 0, 0]);
        assert_eq!(sets(&all), [vec!["22", "2376"], vec![]]);
        assert_eq!(sets(&left), [vec!["22", "80", "2376", "8080"], vec!["53"]]);
        let names: Vec<_> = all.iter().filter_map(|resource| resource.name.as_deref()).collect();
        assert_eq!(names, ["CPU", "MEMORY", "PORTS", "PORTS_UDP"]);
    }

    #[test]
    fn a_machine_that_shrank_has_nothing_left() {
        let mut ledger = Ledger::default();
        ledger.take(&Resources { cpu: 2, memory: 2, ..Resources::default() });
        let capacity = Resources { cpu: 1, memory: u64::MAX, ..Resources::default() };
        assert_eq!(numbers(&remaining(&capacity, &ledger))[..2], [0, i32::MAX]);
    }
}
