//! What stands in the way of DeleteCluster, as a table.

use crate::{ErrorClass, Refusal};

/// What a cluster holds, counted by the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holds {
    /// Container instances that are ACTIVE or DRAINING and not the built-in node's.
    pub container_instances: usize,
    /// Services that are ACTIVE.
    pub services: usize,
    /// Tasks that are not STOPPED.
    pub tasks: usize,
}

/// Whether a cluster that holds this may be deleted. Container instances are named before services, services before tasks.
///
/// # Errors
/// The exception and text of the first thing that stands in the way.
pub fn may_delete(holds: Holds) -> Result<(), Refusal> {
    let table = [
        (
            holds.container_instances,
            ErrorClass::ClusterContainsContainerInstances,
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        ),
        (
            holds.services,
            ErrorClass::ClusterContainsServices,
            "The Cluster cannot be deleted while Services are active.",
        ),
        (holds.tasks, ErrorClass::ClusterContainsTasks, "The Cluster cannot be deleted while Tasks are active."),
    ];
    match table.into_iter().find(|(count, ..)| *count > 0) {
        Some((_, class, text)) => Err(Refusal::new(class, text)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let class = |container_instances, services, tasks| {
            may_delete(Holds { container_instances, services, tasks }).err().map(|refusal| refusal.class)
        };
        assert_eq!(class(0, 0, 0), None);
        assert_eq!(class(0, 0, 1), Some(ErrorClass::ClusterContainsTasks));
        assert_eq!(class(0, 1, 1), Some(ErrorClass::ClusterContainsServices));
        assert_eq!(class(1, 1, 1), Some(ErrorClass::ClusterContainsContainerInstances));
    }
}
