//! The driver's own log: what was asked, when, and what came of it.
//!
//! Everything is judged by these records and nothing else. Times are nanoseconds of one monotonic clock that all
//! clients share: a call takes effect, if at all, between `invoked` and `ended`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Nanoseconds since the driver began.
pub type Nanos = u64;

/// A name: of a cluster, a family, a `startedBy`.
pub type Name = Arc<str>;

/// A task's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u128);

impl fmt::Display for TaskId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl FromStr for TaskId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = u128::from_str_radix(text, 16).map_err(|_| ())?;
        if text.len() == 32 { Ok(Self(number)) } else { Err(()) }
    }
}

impl Serialize for TaskId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is wanted of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Desired {
    /// It should run.
    Running,
    /// It should end, or has ended.
    Stopped,
}

impl Desired {
    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// The values of `lastStatus` in the order of life; a task's place in it never falls.
pub const STATUSES: [&str; 8] =
    ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"];

/// What the containers of a definition do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Behaviour {
    /// Their image is pulled for ever: only a caller ever moves their desired status.
    Waiting,
    /// They run until they are stopped. With the server their simulated containers are gone.
    Lasting,
    /// They end by themselves after a moment.
    Short,
}

impl Behaviour {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Lasting, Self::Short];

    /// The family whose first revision behaves like this.
    pub fn family(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Lasting => "lasting",
            Self::Short => "short",
        }
    }
}

/// A RunTask. `started_by` is of this input alone, so that its tasks can be recognised; replays of a token repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunTask {
    /// The cluster.
    pub cluster: Name,
    /// The family, of which revision 1 is meant.
    pub family: Name,
    /// How many tasks.
    pub count: usize,
    /// `startedBy`.
    pub started_by: Name,
    /// `clientToken`.
    pub token: Option<Name>,
}

/// What tasks are listed by, beside their desired status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Filter {
    /// Nothing.
    All,
    /// `family`.
    Family(Name),
    /// `startedBy`.
    StartedBy(Name),
}

/// One page of ListTasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListTasks {
    /// The cluster.
    pub cluster: Name,
    /// `desiredStatus`.
    pub desired: Desired,
    /// The filter.
    pub filter: Filter,
    /// `maxResults`.
    pub limit: usize,
    /// `nextToken`.
    pub token: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Request {
    /// RunTask.
    RunTask(RunTask),
    /// StopTask, with the call's number as its reason.
    StopTask { cluster: Name, task: TaskId },
    /// DescribeTasks.
    DescribeTasks { cluster: Name, tasks: Vec<TaskId> },
    /// ListTasks.
    ListTasks(ListTasks),
    /// CreateCluster.
    CreateCluster { cluster: Name },
    /// DeleteCluster.
    DeleteCluster { cluster: Name },
    /// DescribeClusters.
    DescribeClusters { clusters: Vec<Name> },
    /// RegisterTaskDefinition; the marker is of this call alone and stands in the definition.
    RegisterTaskDefinition { family: Name, behaviour: Behaviour, marker: u64 },
    /// DeregisterTaskDefinition.
    DeregisterTaskDefinition { family: Name, revision: u32 },
    /// DescribeTaskDefinition.
    DescribeTaskDefinition { family: Name, revision: u32 },
    /// ListTaskDefinitions of one family, a page.
    ListTaskDefinitions { family: Name, active: bool, token: Option<String> },
}

/// What of a task never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// `startedBy`.
    pub started_by: Name,
    /// Family and revision.
    pub definition: Name,
    /// `createdAt`, as it was written.
    pub created_at: String,
    /// `launchType`.
    pub launch_type: String,
}

/// A task as an answer shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskSeen {
    /// Its id.
    pub id: TaskId,
    /// Its cluster.
    pub cluster: Name,
    /// `desiredStatus`.
    pub desired: Desired,
    /// `lastStatus`, as a place in [`STATUSES`].
    pub last: usize,
    /// What never changes; absent where an answer does not tell.
    pub identity: Option<Identity>,
    /// `stopCode` and `stoppedReason`, once there are.
    pub stop: Option<(String, String)>,
}

/// A definition as an answer shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefinitionSeen {
    /// Its revision.
    pub revision: u32,
    /// The marker in it.
    pub marker: u64,
    /// Whether it is ACTIVE.
    pub active: bool,
}

/// What a successful call answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// RunTask, StopTask, DescribeTasks.
    Tasks { tasks: Vec<TaskSeen>, failures: Vec<String> },
    /// ListTasks.
    Listed { tasks: Vec<TaskId>, next: Option<String> },
    /// CreateCluster, DeleteCluster, DescribeClusters: names, and whether they are ACTIVE. What is not there is absent.
    Clusters(Vec<(Name, bool)>),
    /// RegisterTaskDefinition, DeregisterTaskDefinition, DescribeTaskDefinition.
    Definition(DefinitionSeen),
    /// ListTaskDefinitions: revisions.
    Definitions { revisions: Vec<u32>, next: Option<String> },
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// A success.
    Answered(Answer),
    /// An error of the API.
    Refused { code: String, message: String, resources: Vec<TaskId> },
    /// An answer that makes no sense.
    Nonsense(String),
    /// No answer: it happened, or not.
    Lost(String),
}

/// One call of one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Its number; in the order of invocation.
    pub number: u64,
    /// Who called.
    pub client: usize,
    /// How often the server had been killed when the call began.
    pub kills: usize,
    /// When it began.
    pub invoked: Nanos,
    /// When its answer was there, or the connection broken.
    pub ended: Nanos,
    /// What was asked.
    pub request: Request,
    /// What came of it.
    pub outcome: Outcome,
}
