//! What the server is told of a task, and what it knows already.
//!
//! Reports of a task go out one after the other. Each carries the whole of the task's containers, so that a report that
//! is repeated, or replaced by a newer one before it got through, does no harm.

use longshore_ecs_wire::Timestamp;
use longshore_ecs_wire::agent::DesiredStatus;
use longshore_ecs_wire::operations::{ContainerStateChange, SubmitTaskStateChangeRequest};
use longshore_ecs_wire::shapes::{NetworkBinding, TransportProtocol};

use super::container_state::{ContainerState, Phase};
use super::reason::{ID_CHARACTERS, REASON_CHARACTERS, cut};
use super::task_spec::ContainerTemplate;
use super::task_state::TaskState;
use crate::engine::{PortBinding, Protocol};

/// Pause after the first failed report, milliseconds; each further one is 1.3 times as long.
const FIRST_PAUSE_MILLIS: f64 = 1000.0;
/// The longest pause, milliseconds.
const LONGEST_PAUSE_MILLIS: f64 = 30_000.0;

/// A task's status, as reported. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TaskStatus {
    /// Not all containers have started.
    Pending,
    /// All containers have started.
    Running,
    /// All containers have stopped.
    Stopped,
}

impl TaskStatus {
    /// On the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskStatus::Pending => "PENDING",
            TaskStatus::Running => "RUNNING",
            TaskStatus::Stopped => "STOPPED",
        }
    }
}

/// What a report says, as far as a change of it calls for another report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reported {
    /// The task's status.
    pub status: TaskStatus,
    /// The containers' statuses.
    pub containers: Vec<TaskStatus>,
}

/// A report to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// What it says.
    pub reported: Reported,
    /// The request.
    pub request: SubmitTaskStateChangeRequest,
}

/// What the server knows of a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ReportState {
    /// The report under way.
    pub in_flight: Option<Reported>,
    /// The last report that the server took over, or refused for good.
    pub accepted: Option<Reported>,
    /// Failures in a row.
    pub failures: u32,
    /// Not before.
    pub retry_at: Option<Timestamp>,
    /// The report under way may have reached what the server has forgotten since; its answer counts for nothing.
    pub in_vain: bool,
}

impl ReportState {
    /// Takes in the answer to the report under way.
    pub fn answered(&mut self, reported: Reported, settled: bool, now: Timestamp) {
        self.in_flight = None;
        if std::mem::take(&mut self.in_vain) {
            return;
        }
        if settled {
            self.accepted = Some(reported);
            self.failures = 0;
            self.retry_at = None;
            return;
        }
        let pause = (FIRST_PAUSE_MILLIS * 1.3f64.powi(self.failures.min(100) as i32)).min(LONGEST_PAUSE_MILLIS);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(now.plus_millis(pause as i64));
    }

    /// Takes in that the server may have forgotten all that it was told.
    pub fn forget(&mut self) {
        *self = Self { in_vain: self.in_flight.is_some(), in_flight: self.in_flight.take(), ..Self::default() };
    }

    /// Whether the server knows that the task has stopped.
    pub fn knows_the_end(&self) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| accepted.status == TaskStatus::Stopped)
    }
}

/// The report that is due, whether or not it may be sent now.
pub(crate) fn due(state: &TaskState) -> Option<Report> {
    let reported = Reported { status: state.status(), containers: state.containers.iter().map(status).collect() };
    let is_news = match reported.status {
        TaskStatus::Pending => false,
        // While a stop is carried out, the end alone is reported.
        TaskStatus::Running => state.report.accepted.as_ref() != Some(&reported) && !state.stopped_by_server,
        TaskStatus::Stopped => true,
    };
    let due = is_news && state.report.in_flight.is_none() && !state.report.knows_the_end();
    due.then(|| Report { request: request(state, reported.status), reported })
}

fn status(container: &ContainerState) -> TaskStatus {
    match container.phase {
        Phase::Running => TaskStatus::Running,
        Phase::Stopped | Phase::Removed => TaskStatus::Stopped,
        _ => TaskStatus::Pending,
    }
}

fn request(state: &TaskState, status: TaskStatus) -> SubmitTaskStateChangeRequest {
    let stopped = status == TaskStatus::Stopped;
    let failure = state.failure.as_deref().filter(|_| stopped || state.desired == DesiredStatus::Stopped);
    let pairs = state.spec.containers.iter().zip(&state.containers);
    SubmitTaskStateChangeRequest {
        cluster: Some(state.spec.cluster.clone()),
        task: Some(state.spec.arn.clone()),
        status: Some(status.as_str().to_owned()),
        reason: failure.map(|reason| cut(reason, REASON_CHARACTERS)),
        containers: Some(pairs.map(|(template, container)| container_change(template, container)).collect()),
        pull_started_at: state.pull_started_at,
        pull_stopped_at: state.pull_stopped_at,
        execution_stopped_at: state.execution_stopped_at,
        ..SubmitTaskStateChangeRequest::default()
    }
}

fn container_change(template: &ContainerTemplate, container: &ContainerState) -> ContainerStateChange {
    let started = container.ran || container.phase == Phase::Running;
    let ports = if started && !template.host_ports.is_empty() { &template.host_ports } else { &container.ports };
    ContainerStateChange {
        container_name: Some(template.name.clone()),
        image_digest: container.image_digest.as_deref().map(|digest| cut(digest, ID_CHARACTERS)),
        runtime_id: container.runtime_id.as_deref().map(|id| cut(id, ID_CHARACTERS)),
        exit_code: container.exit_code,
        network_bindings: Some(ports.iter().filter(|port| is_ipv4(port)).map(binding).collect()),
        reason: container.reason.as_deref().map(|reason| cut(reason, REASON_CHARACTERS)),
        status: Some(self::status(container).as_str().to_owned()),
    }
}

fn is_ipv4(port: &PortBinding) -> bool {
    port.bind_ip.parse::<std::net::Ipv4Addr>().is_ok()
}

fn binding(port: &PortBinding) -> NetworkBinding {
    NetworkBinding {
        bind_ip: Some(port.bind_ip.clone()),
        container_port: Some(port.container_port.into()),
        host_port: Some(port.host_port.into()),
        protocol: Some(match port.protocol {
            Protocol::Tcp => TransportProtocol::Tcp,
            Protocol::Udp => TransportProtocol::Udp,
        }),
        ..NetworkBinding::default()
    }
}
