//! The life cycle of a task: who may move which status where.
//!
//! A task has two statuses with two writers: `desired` belongs to API and controllers, `last` to what the node reports.
//! [`TRANSITIONS`] is the whole truth of `last`; every write of it passes through [`advance`]. Nothing moves backwards.
//! Source: "Task lifecycle" of the ECS developer guide.

use serde::{Deserialize, Serialize};

/// What is wanted of a task. It only ever goes from RUNNING to STOPPED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DesiredStatus {
    /// It should run.
    Running,
    /// It should end, or has ended.
    Stopped,
}

impl DesiredStatus {
    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Where a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskStatus {
    /// Network or capacity is being prepared.
    Provisioning,
    /// Its node pulls images and creates containers.
    Pending,
    /// Its containers run; load balancers and discovery are being told.
    Activating,
    /// It runs.
    Running,
    /// Load balancers and discovery are being told.
    Deactivating,
    /// Its node is stopping its containers.
    Stopping,
    /// Its containers have stopped; its network is being removed.
    Deprovisioning,
    /// It has ended.
    Stopped,
}

impl TaskStatus {
    /// Every status, in the order of life.
    pub const ALL: [Self; 8] = [
        Self::Provisioning,
        Self::Pending,
        Self::Activating,
        Self::Running,
        Self::Deactivating,
        Self::Stopping,
        Self::Deprovisioning,
        Self::Stopped,
    ];

    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Who moves a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The gateway, when the node has taken the task.
    Gateway,
    /// The node, by its reports.
    Node,
    /// A controller, for a task whose node will never report.
    Controller,
}

/// Every move of `last` there is: who, from, to.
pub const TRANSITIONS: &[(Actor, TaskStatus, TaskStatus)] = &[
    (Actor::Gateway, TaskStatus::Provisioning, TaskStatus::Pending),
    (Actor::Node, TaskStatus::Provisioning, TaskStatus::Pending),
    (Actor::Node, TaskStatus::Provisioning, TaskStatus::Running),
    (Actor::Node, TaskStatus::Provisioning, TaskStatus::Stopped),
    (Actor::Node, TaskStatus::Pending, TaskStatus::Running),
    (Actor::Node, TaskStatus::Pending, TaskStatus::Stopped),
    (Actor::Node, TaskStatus::Activating, TaskStatus::Running),
    (Actor::Node, TaskStatus::Activating, TaskStatus::Stopped),
    (Actor::Node, TaskStatus::Running, TaskStatus::Stopped),
    (Actor::Node, TaskStatus::Deactivating, TaskStatus::Stopped),
    (Actor::Node, TaskStatus::Stopping, TaskStatus::Stopped),
    (Actor::Node, TaskStatus::Deprovisioning, TaskStatus::Stopped),
    (Actor::Controller, TaskStatus::Provisioning, TaskStatus::Stopped),
    (Actor::Controller, TaskStatus::Pending, TaskStatus::Stopped),
    (Actor::Controller, TaskStatus::Activating, TaskStatus::Stopped),
    (Actor::Controller, TaskStatus::Running, TaskStatus::Stopped),
    (Actor::Controller, TaskStatus::Deactivating, TaskStatus::Stopped),
    (Actor::Controller, TaskStatus::Stopping, TaskStatus::Stopped),
    (Actor::Controller, TaskStatus::Deprovisioning, TaskStatus::Stopped),
];

/// Moves `last`, if `actor` may move it from where it is to `to`; whether it moved.
pub fn advance(last: &mut TaskStatus, actor: Actor, to: TaskStatus) -> bool {
    let legal = TRANSITIONS.contains(&(actor, *last, to));
    if legal {
        *last = to;
    }
    legal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pairs() {
        for actor in [Actor::Gateway, Actor::Node, Actor::Controller] {
            for from in TaskStatus::ALL {
                for to in TaskStatus::ALL {
                    let mut last = from;
                    let moved = advance(&mut last, actor, to);
                    assert_eq!(last, if moved { to } else { from });
                    assert_eq!(moved, TRANSITIONS.contains(&(actor, from, to)));
                    assert!(!moved || from < to, "{actor:?} moves backwards: {from:?} to {to:?}");
                }
            }
        }
    }

    #[test]
    fn every_status_but_the_last_can_end_by_node_and_by_controller() {
        for from in TaskStatus::ALL.into_iter().filter(|status| *status != TaskStatus::Stopped) {
            for actor in [Actor::Node, Actor::Controller] {
                assert!(TRANSITIONS.contains(&(actor, from, TaskStatus::Stopped)), "{actor:?} {from:?}");
            }
        }
    }

    #[test]
    fn a_stopped_task_never_moves() {
        assert!(TRANSITIONS.iter().all(|(_, from, _)| *from != TaskStatus::Stopped));
    }
}
