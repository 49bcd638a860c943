//! Assignments.

use longshore_ecs_wire::agent::{AckRequest, DesiredStatus, Frame, PayloadMessage};

use super::{Session, SessionEnd};
use crate::runner::{Assignment, assign};

impl Session {
    /// Takes the tasks over, those to stop first, and acknowledges unless one of them cannot be read. A message that
    /// lacks what every payload has is dropped without an answer.
    pub(super) async fn payload(&mut self, message: PayloadMessage) -> Result<(), SessionEnd> {
        let PayloadMessage { cluster_arn, container_instance_arn, message_id, seq_num, mut tasks, .. } = message;
        if cluster_arn.is_empty() || container_instance_arn.is_empty() || message_id.is_empty() {
            tracing::warn!(message_id, "the server sent a payload without cluster, container instance or message id");
            return Ok(());
        }
        if let Some(number) = seq_num {
            self.raise_sequence(&container_instance_arn, number);
        }
        tasks.sort_by_key(|task| task.desired_status != DesiredStatus::Stopped);
        let mut readable = true;
        for task in &tasks {
            readable &= assign(&self.shared, task, &cluster_arn, &container_instance_arn) == Assignment::Taken;
        }
        if !readable {
            return Ok(());
        }
        for task in &tasks {
            for credentials in task.role_credentials.iter().chain(&task.execution_role_credentials) {
                self.acknowledge_credentials(&message_id, credentials).await?;
            }
        }
        let ack = AckRequest { cluster: cluster_arn, container_instance: container_instance_arn, message_id };
        self.send(Frame::Ack(ack)).await
    }
}
