//! Which tasks a fleet has: how many, and what each of them is listed by.
//!
//! Everything follows from a task's index by scattering it, so a fleet is the same every time, needs no memory, and no
//! two of its dimensions are correlated: the members of a filter lie all over the creation order, which is the hard case
//! for an index. Families are Zipf distributed, half of the tasks share one startedBy value in a hundred, one task in
//! eight belongs to a daemon, the others to services. Nine of ten run, or all.

use longshore_domain::EcsId;

use super::kinds::{Dimensions, Filter};

/// How many tasks there are, and how many values of each kind they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// Tasks, stopped ones included.
    pub tasks: u64,
    /// Of ten tasks, how many are stopped and still listed.
    pub stopped_of_ten: u64,
    /// Families, each with one definition.
    pub families: u64,
    /// Container instances, each a node.
    pub instances: u64,
    services: u64,
    starters: u64,
    daemons: u64,
}

/// What a task is listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Its family.
    pub family: u64,
    /// Its service, unless it belongs to a daemon.
    pub service: Option<u64>,
    /// Its daemon.
    pub daemon: Option<u64>,
    /// Who started it.
    pub starter: u64,
    /// Its instance; none: FARGATE.
    pub instance: Option<u64>,
    /// Whether it has stopped.
    pub stopped: bool,
}

impl Fleet {
    /// A fleet of this size; the million is the one of the design, smaller ones have fewer values, so that most
    /// pages are full.
    pub fn of(tasks: u64) -> Self {
        let scaled = |at_a_million: u64, per_value: u64| (tasks / per_value).clamp(1, at_a_million);
        Self {
            tasks,
            stopped_of_ten: 1,
            families: scaled(200, 300),
            instances: scaled(5_000, 200),
            services: scaled(2_000, 300),
            starters: scaled(10_000, 100),
            daemons: scaled(10, 1_000),
        }
    }

    /// The same, with every task running.
    pub fn all_running(self) -> Self {
        Self { stopped_of_ten: 0, ..self }
    }

    /// What the task at an index, from 0, is listed by.
    pub fn traits(&self, index: u64) -> Traits {
        let drawn = |salt: u64| scatter(index.wrapping_mul(16).wrapping_add(salt));
        let daemon = drawn(1).is_multiple_of(8).then(|| drawn(2) % self.daemons);
        let on_instance = daemon.is_some() || !drawn(3).is_multiple_of(3);
        let busy_starters = self.starters.div_ceil(100);
        let starters = if drawn(4).is_multiple_of(2) { busy_starters } else { self.starters };
        Traits {
            family: zipf(drawn(5), self.families),
            service: daemon.is_none().then(|| drawn(6) % self.services),
            daemon,
            starter: drawn(7) % starters,
            instance: on_instance.then(|| drawn(8) % self.instances),
            stopped: drawn(9) % 10 < self.stopped_of_ten,
        }
    }

    /// Up to `most` different filters over these dimensions, each of a task of this status.
    pub fn filters(&self, dimensions: Dimensions, stopped: bool, most: usize) -> Vec<Filter> {
        let mut filters: Vec<Filter> = Vec::new();
        let looked_at = (most as u64 * 64).clamp(10_000, 100_000).min(self.tasks);
        for number in 0..looked_at {
            let traits = self.traits(number * (self.tasks / looked_at));
            let filter = Some(traits).filter(|traits| traits.stopped == stopped).and_then(|t| dimensions.filter_of(&t));
            if let Some(filter) = filter.filter(|filter| !filters.contains(filter)) {
                filters.push(filter);
                if filters.len() == most {
                    break;
                }
            }
        }
        filters
    }
}

/// Name of a family.
pub fn family(index: u64) -> String {
    format!("web-application-{index}")
}

/// Name of a service.
pub fn service(index: u64) -> String {
    format!("service-{index}")
}

/// Name of a daemon.
pub fn daemon(index: u64) -> String {
    format!("log-router-{index}")
}

/// A `startedBy`, of the length that service deployments have.
pub fn starter(index: u64) -> String {
    format!("ecs-svc/{:019}", scatter(index) % 10_000_000_000_000_000_000)
}

/// Id of the task at an index.
pub fn task_id(index: u64) -> EcsId {
    scattered_id(index)
}

/// Id of a node.
pub fn node_id(index: u64) -> EcsId {
    scattered_id(1 << 40 | index)
}

/// Id of a container instance.
pub fn instance_id(index: u64) -> EcsId {
    scattered_id(1 << 41 | index)
}

/// An id that looks drawn, and is the same every time.
pub fn scattered_id(index: u64) -> EcsId {
    let [high, low] = [scatter(index), scatter(!index)].map(u128::from);
    EcsId((high << 64 | low).to_be_bytes())
}

/// A number that looks drawn; by the finisher of splitmix64.
pub fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One of `values`, the first ones most often: by the inverse of the distribution's continuous form.
fn zipf(drawn: u64, values: u64) -> u64 {
    let even = (drawn >> 11) as f64 / (1u64 << 53) as f64;
    let value = ((values as f64 + 1.0).powf(even) - 1.0) as u64;
    value.min(values - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn a_fleet_has_the_shares_it_promises() {
        let fleet = Fleet::of(1_000_000);
        assert_eq!((fleet.families, fleet.services, fleet.instances, fleet.starters), (200, 2_000, 5_000, 10_000));
        let traits: Vec<_> = (0..100_000).map(|index| fleet.traits(index)).collect();
        let share = |of: &dyn Fn(&Traits) -> bool| traits.iter().filter(|traits| of(traits)).count() / 1_000;
        assert_eq!(share(&|traits| traits.stopped), 10);
        assert_eq!(share(&|traits| traits.daemon.is_some()), 12);
        assert!((68..74).contains(&share(&|traits| traits.instance.is_some())));
        let mut families = BTreeMap::new();
        traits.iter().for_each(|traits| *families.entry(traits.family).or_insert(0) += 1);
        assert_eq!(families.len(), 200);
        assert!(families[&0] > 5 * families[&20] && families[&20] > 5 * families[&199]);
        assert!(traits.iter().all(|traits| traits.daemon.is_none() || traits.instance.is_some()));
    }

    #[test]
    fn ids_differ() {
        let ids: BTreeSet<_> = (0..10_000).flat_map(|n| [task_id(n), node_id(n), instance_id(n)]).collect();
        assert_eq!(ids.len(), 30_000);
    }

    #[test]
    fn a_filter_is_of_some_task() {
        let fleet = Fleet::of(1_000);
        for dimensions in Dimensions::LEGAL {
            for stopped in [false, true] {
                let filters = fleet.filters(dimensions, stopped, 50);
                assert!(!filters.is_empty(), "{dimensions:?}, stopped: {stopped}");
            }
        }
        assert_eq!(Fleet::of(1_000).all_running().filters(Dimensions::LEGAL[0], true, 1), Vec::<Filter>::new());
    }
}
