//! Takes tasks over from the server: once each, and only ever towards STOPPED.

use std::sync::Arc;

use longshore_ecs_wire::agent::{DesiredStatus, Task};
use tokio::sync::mpsc;

use super::lock::lock;
use super::shared::{KnownContainer, KnownTask, Shared, Tasks};
use super::task_loop::{Input, TaskLoop};
use super::task_spec::{Refusal, TaskSpec, region_and_cluster};
use super::task_state::TaskState;

/// What became of a task that the server sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assignment {
    /// It is taken over, or was before.
    Taken,
    /// It cannot be read. If it has an ARN, it is reported as stopped.
    Invalid,
}

/// A task about to be begun.
struct Launch {
    arn: String,
    cluster: String,
    /// Absent: only what is found on the engine is known of it.
    spec: Option<TaskSpec>,
    /// Why it is not to run.
    refusal: Option<String>,
    desired: DesiredStatus,
}

/// Takes over a task of a payload for `container_instance`.
pub(crate) fn assign(shared: &Arc<Shared>, task: &Task, cluster_arn: &str, container_instance: &str) -> Assignment {
    if task.arn.is_empty() {
        tracing::warn!("the server sent a task without an ARN");
        return Assignment::Invalid;
    }
    shared.orphans.is_known(&task.arn);
    let mut tasks = lock(&shared.tasks);
    if let Some(known) = tasks.known.get_mut(&task.arn) {
        if task.desired_status == DesiredStatus::Stopped {
            stop(known, None);
        }
        return Assignment::Taken;
    }
    let cluster = region_and_cluster(&task.arn).map(|(_, cluster)| cluster.to_owned());
    let cluster = cluster.unwrap_or_else(|| cluster_arn.rsplit('/').next().unwrap_or_default().to_owned());
    let mut launch = Launch { arn: task.arn.clone(), cluster, spec: None, refusal: None, desired: task.desired_status };
    let mut assignment = Assignment::Taken;
    match TaskSpec::from_payload(task, &shared.spec_context) {
        Err(error) => {
            tracing::warn!(task = task.arn, %error, "the server sent a task that cannot be read");
            launch.refusal = Some(format!("UnrecogniedTaskError: Error loading task - {error}"));
            assignment = Assignment::Invalid;
        }
        // A late copy of a payload: the task has run, and is not run again.
        Ok(_) if tasks.ended.contains_key(&task.arn) => launch.desired = DesiredStatus::Stopped,
        Ok(spec) if spec.containers.is_empty() => {}
        Ok(spec) => launch.spec = Some(spec),
    }
    let task_cluster = task.task_cluster_arn.as_deref().unwrap_or(cluster_arn);
    begin(shared, &mut tasks, launch, task_cluster.to_owned(), container_instance.to_owned());
    assignment
}

/// Stops a task that the server has confirmed not to want.
pub(crate) fn stop_confirmed(shared: &Arc<Shared>, arn: &str) {
    shared.orphans.is_known(arn);
    stop_found(shared, arn);
}

/// Stops a task; one that is only found on the engine is taken over for that.
pub(crate) fn stop_found(shared: &Arc<Shared>, arn: &str) {
    let mut tasks = lock(&shared.tasks);
    if let Some(known) = tasks.known.get_mut(arn) {
        stop(known, None);
    } else if shared.inventory.is_unclaimed(arn) {
        let cluster = region_and_cluster(arn).map(|(_, cluster)| cluster.to_owned()).unwrap_or_default();
        let launch =
            Launch { arn: arn.to_owned(), cluster, spec: None, refusal: None, desired: DesiredStatus::Stopped };
        begin(shared, &mut tasks, launch, cluster_arn(arn), String::new());
    }
}

/// Tells a task to stop, unless it was told before.
pub(crate) fn stop(task: &mut KnownTask, reason: Option<String>) {
    if !std::mem::replace(&mut task.stopping, true) {
        // The loop is gone only when the task has ended.
        let _ = task.inbox.send(Input::Stop { reason });
    }
}

/// ARN of the cluster of a task.
pub(crate) fn cluster_arn(task_arn: &str) -> String {
    let Some((_, cluster)) = region_and_cluster(task_arn) else { return String::new() };
    let head = task_arn.split(":task/").next().unwrap_or_default();
    format!("{head}:cluster/{cluster}")
}

fn begin(shared: &Arc<Shared>, tasks: &mut Tasks, launch: Launch, cluster_arn: String, container_instance: String) {
    let (inbox, inputs) = mpsc::unbounded_channel();
    let known = KnownTask {
        inbox,
        container_instance,
        cluster_arn,
        stopping: launch.desired == DesiredStatus::Stopped,
        end_is_known: false,
        containers: launch.spec.as_ref().map(containers).unwrap_or_default(),
    };
    let known_containers = known.containers.clone();
    tasks.known.insert(launch.arn.clone(), known);
    tasks.know_containers(&launch.arn, known_containers);
    shared.spawn(run(Arc::clone(shared), launch, inputs));
}

async fn run(shared: Arc<Shared>, launch: Launch, mut inputs: mpsc::UnboundedReceiver<Input>) {
    // Without the list the task goes on: the names of its containers keep it from being doubled.
    shared.inventory.listed_for_a_task().await;
    let Launch { arn, cluster, spec, refusal, mut desired } = launch;
    let mut found = shared.inventory.claim(&arn);
    while let Ok(input) = inputs.try_recv() {
        match input {
            Input::Seen(observed) => found.push(*observed),
            Input::Stop { .. } => desired = DesiredStatus::Stopped,
            Input::Changed(_) | Input::ServerForgot => {}
        }
    }
    let mut spec = spec.unwrap_or_else(|| TaskSpec { cluster: cluster.clone(), ..TaskSpec::from_found(&arn, &found) });
    if let Some(reason) = refusal {
        spec.refusal = Some(Refusal { container: None, reason });
    }
    if !found.is_empty() {
        tracing::info!(task = arn, containers = found.len(), "adopted a task's containers");
    }
    lock(&shared.tasks).know_containers(&arn, containers(&spec));
    let state = TaskState::new(spec, desired, &found, shared.config.clock.now());
    TaskLoop::new(Arc::clone(&shared), state).run(inputs).await;
    lock(&shared.tasks).end(&arn, shared.config.clock.now());
    shared.orphans.remove(&arn);
}

fn containers(spec: &TaskSpec) -> Vec<KnownContainer> {
    let known = spec.containers.iter().map(|template| KnownContainer {
        name: template.name.clone(),
        engine_name: template.spec.name.clone(),
        image: template.spec.image.clone(),
    });
    known.collect()
}
