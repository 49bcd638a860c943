//! The model of a cluster's tasks: RunTask, StopTask, ListTasks and DescribeTasks, one after another.
//!
//! It knows the desired status only. What happens to a task without a caller (its containers end, its retention ends)
//! enters the history as a call without an answer, made when it could first happen.

use std::sync::Arc;

use super::Model;

/// Name of a cluster, or of one of its incarnations; a partition.
pub type Cluster = Arc<str>;
/// Id or ARN of a task.
pub type Task = Arc<str>;

/// The desired status of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Desired {
    /// RUNNING.
    Running,
    /// STOPPED.
    Stopped,
}

/// A call to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInput {
    /// The cluster.
    pub cluster: Cluster,
    /// The call.
    pub call: TaskCall,
}

/// What is asked of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskCall {
    /// RunTask. `tasks` are those that came of it, in the order in which they are listed. For a call without an answer
    /// they are found out later (by `startedBy`, say); none, if nobody ever saw one. A replay of a client token is no
    /// call of its own: give the first of them, with the latest answer.
    RunTask {
        /// What came of it.
        tasks: Vec<Task>,
    },
    /// StopTask.
    StopTask {
        /// The task.
        task: Task,
    },
    /// The task ends by itself. Give it without an answer.
    TaskEnds {
        /// The task.
        task: Task,
    },
    /// A stopped task's retention ends. Give it without an answer.
    TaskExpires {
        /// The task.
        task: Task,
    },
    /// ListTasks with this desired status and no other filter, whose answer has no `nextToken`.
    ListTasks {
        /// The desired status.
        desired: Desired,
    },
    /// DescribeTasks.
    DescribeTasks {
        /// The tasks.
        tasks: Vec<Task>,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskOutput {
    /// RunTask, StopTask: a success.
    Done,
    /// RunTask, StopTask: a refusal. RunTask did nothing; StopTask does not know the task.
    Refused,
    /// ListTasks: every task of the answer, in its order.
    Listed(Vec<Task>),
    /// DescribeTasks: what is known of each task asked for, in the order of the question; `None`: MISSING.
    Described(Vec<Option<Desired>>),
}

/// Tasks in creation order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tasks {
    tasks: Vec<(Task, Desired)>,
}

impl Tasks {
    fn desired(&self, task: &Task) -> Option<Desired> {
        self.tasks.iter().find(|(id, _)| id == task).map(|(_, desired)| *desired)
    }

    fn stopped(&self, task: &Task) -> Option<Self> {
        let mut after = self.clone();
        let (_, desired) = after.tasks.iter_mut().find(|(id, _)| id == task)?;
        *desired = Desired::Stopped;
        Some(after)
    }

    fn without(&self, task: &Task) -> Option<Self> {
        let mut after = self.clone();
        after.tasks.retain(|(id, desired)| id != task || *desired == Desired::Running);
        (after.tasks.len() < self.tasks.len()).then_some(after)
    }

    fn with(&self, tasks: &[Task]) -> Option<Self> {
        if tasks.iter().any(|task| self.desired(task).is_some()) {
            return None;
        }
        let mut after = self.clone();
        after.tasks.extend(tasks.iter().map(|task| (Arc::clone(task), Desired::Running)));
        Some(after)
    }

    fn same_if(&self, holds: bool) -> Option<Self> {
        holds.then(|| self.clone())
    }
}

/// The tasks of each cluster.
#[derive(Debug, Clone, Copy, Default)]
pub struct TaskModel;

impl Model for TaskModel {
    type State = Tasks;
    type Input = TaskInput;
    type Output = TaskOutput;
    type Partition = Cluster;

    fn initial(&self) -> Tasks {
        Tasks::default()
    }

    fn partition(&self, input: &TaskInput) -> Cluster {
        Arc::clone(&input.cluster)
    }

    fn step(&self, state: &Tasks, input: &TaskInput, output: Option<&TaskOutput>) -> Option<Tasks> {
        match (&input.call, output) {
            (TaskCall::RunTask { tasks }, None | Some(TaskOutput::Done)) => state.with(tasks),
            (TaskCall::RunTask { .. }, Some(TaskOutput::Refused)) => Some(state.clone()),
            (TaskCall::StopTask { task }, None | Some(TaskOutput::Done)) => state.stopped(task),
            (TaskCall::StopTask { task }, Some(TaskOutput::Refused)) => state.same_if(state.desired(task).is_none()),
            (TaskCall::TaskEnds { task }, None | Some(TaskOutput::Done)) => state.stopped(task),
            (TaskCall::TaskExpires { task }, None | Some(TaskOutput::Done)) => state.without(task),
            (TaskCall::ListTasks { desired }, Some(TaskOutput::Listed(listed))) => {
                let held = state.tasks.iter().filter(|(_, is)| is == desired).map(|(task, _)| task);
                state.same_if(held.eq(listed.iter()))
            }
            (TaskCall::DescribeTasks { tasks }, Some(TaskOutput::Described(described))) => {
                let held = tasks.iter().map(|task| state.desired(task));
                state.same_if(held.eq(described.iter().copied()))
            }
            (TaskCall::ListTasks { .. } | TaskCall::DescribeTasks { .. }, None) => Some(state.clone()),
            _ => None,
        }
    }
}
