//! Reconciliation on a fresh session.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use longshore_ecs_wire::agent::{
    AckRequest, DesiredStatus, Frame, TaskIdentifier, TaskManifestMessage, TaskStopVerificationAck,
    TaskStopVerificationMessage,
};

use super::{Session, SessionEnd};
use crate::runner::lock::lock;
use crate::runner::{Shared, cluster_arn, manifest_answered, stop_confirmed};

impl Session {
    /// Obeys a manifest if it is newer than all that was heard of this container instance: asks which of the tasks that
    /// it does not want RUNNING are to be stopped. That needs the engine's list, so it is asked when that is there.
    pub(super) async fn task_manifest(&mut self, message: TaskManifestMessage) -> Result<(), SessionEnd> {
        if !self.raise_sequence(&message.container_instance_arn, message.timeline) {
            return Ok(());
        }
        if let Some(before) = self.manifest.replace(message.message_id.clone()) {
            self.shared.orphans.withdraw(&before);
        }
        let TaskManifestMessage { cluster_arn, container_instance_arn, message_id, tasks, .. } = message;
        let ack = AckRequest {
            cluster: cluster_arn,
            container_instance: container_instance_arn.clone(),
            message_id: message_id.clone(),
        };
        self.send(Frame::Ack(ack)).await?;
        let wanted = tasks.into_iter().filter(|task| task.desired_status == DesiredStatus::Running);
        let wanted: HashSet<String> = wanted.map(|task| task.task_arn).collect();
        for task in &wanted {
            self.shared.orphans.is_known(task);
        }
        let (shared, outgoing) = (Arc::clone(&self.shared), self.outgoing.clone());
        self.shared.spawn(async move {
            tokio::select! {
                () = outgoing.closed() => return,
                () = shared.inventory.listed_at_last() => {}
            }
            let stop_candidates = stop_candidates(&shared, &container_instance_arn, &wanted);
            if !stop_candidates.is_empty() {
                shared.orphans.ask(&message_id, stop_candidates.iter().map(|task| task.task_arn.clone()));
                let message = TaskStopVerificationMessage { message_id, stop_candidates };
                // A session that has ended meanwhile has no use for it.
                let _ = outgoing.send(Frame::TaskStopVerification(message)).await;
            }
        });
        Ok(())
    }

    /// Stops what the server has confirmed; what it has not, it does not know. An answer to any but the last manifest is
    /// ignored.
    pub(super) fn stop_verified(&self, message: &TaskStopVerificationAck) {
        if self.manifest.as_deref() != Some(&message.message_id) {
            tracing::debug!(message_id = message.message_id, "a verification of another manifest is ignored");
            return;
        }
        let confirmed = message.stop_tasks.iter().filter(|task| task.desired_status == DesiredStatus::Stopped);
        let confirmed: BTreeSet<&str> = confirmed.map(|task| task.task_arn.as_str()).collect();
        for task in &confirmed {
            stop_confirmed(&self.shared, task);
        }
        manifest_answered(&self.shared, &message.message_id, &confirmed);
    }
}

/// Tasks of this container instance that are meant to run here, and whatever was found of tasks nobody has sent.
fn stop_candidates(shared: &Shared, container_instance: &str, wanted: &HashSet<String>) -> Vec<TaskIdentifier> {
    let identifier = |task_arn: &str, task_cluster_arn: String| TaskIdentifier {
        task_arn: task_arn.to_owned(),
        task_cluster_arn,
        desired_status: DesiredStatus::Stopped,
    };
    let tasks = lock(&shared.tasks);
    let of_instance =
        tasks.known.iter().filter(|(_, task)| task.container_instance == container_instance && !task.stopping);
    let known = of_instance.map(|(arn, task)| identifier(arn, task.cluster_arn.clone()));
    let found = shared.inventory.unclaimed().into_iter().filter(|arn| !tasks.known.contains_key(arn));
    let found = found.map(|arn| identifier(&arn, cluster_arn(&arn)));
    let mut candidates: Vec<TaskIdentifier> =
        known.chain(found).filter(|task| !wanted.contains(&task.task_arn)).collect();
    candidates.sort_by(|one, other| one.task_arn.cmp(&other.task_arn));
    candidates
}
