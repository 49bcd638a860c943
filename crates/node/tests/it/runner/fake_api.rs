//! The server's side of the reports: takes them, or fails as told, and remembers all.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use longshore_ecs_wire::operations::{SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse};
use longshore_node::api::{EcsApi, EcsApiError};
use longshore_node::engine::BoxFuture;
use tokio::time::{Instant, sleep};

#[derive(Default)]
pub struct FakeApi {
    /// Reports taken over, with the time.
    pub accepted: Mutex<Vec<(Instant, SubmitTaskStateChangeRequest)>>,
    /// All attempts, with the time.
    pub attempts: Mutex<Vec<(Instant, SubmitTaskStateChangeRequest)>>,
    /// Exceptions for the next attempts.
    pub failures: Mutex<VecDeque<&'static str>>,
    /// How long an answer takes.
    pub time: Mutex<Duration>,
    /// Attempts under way, and the most at once.
    pub at_once: Mutex<(usize, usize)>,
}

impl FakeApi {
    /// Reports of a task that were taken over.
    pub fn of(&self, arn: &str) -> Vec<SubmitTaskStateChangeRequest> {
        let accepted = self.accepted.lock().expect("unpoisoned");
        accepted
            .iter()
            .filter(|(_, report)| report.task.as_deref() == Some(arn))
            .map(|(_, report)| report.clone())
            .collect()
    }

    /// Statuses of a task, as reported.
    pub fn statuses(&self, arn: &str) -> Vec<String> {
        self.of(arn).into_iter().filter_map(|report| report.status).collect()
    }

    /// Fails the next attempts so.
    pub fn fail(&self, exceptions: &[&'static str]) {
        self.failures.lock().expect("unpoisoned").extend(exceptions);
    }
}

impl EcsApi for FakeApi {
    fn submit_task_state_change(
        &self,
        request: SubmitTaskStateChangeRequest,
    ) -> BoxFuture<'_, Result<SubmitTaskStateChangeResponse, EcsApiError>> {
        Box::pin(async move {
            self.attempts.lock().expect("unpoisoned").push((Instant::now(), request.clone()));
            {
                let mut at_once = self.at_once.lock().expect("unpoisoned");
                at_once.0 += 1;
                at_once.1 = at_once.1.max(at_once.0);
            }
            let time = *self.time.lock().expect("unpoisoned");
            sleep(time).await; // paused: the server takes this long
            self.at_once.lock().expect("unpoisoned").0 -= 1;
            if let Some(code) = self.failures.lock().expect("unpoisoned").pop_front() {
                return Err(EcsApiError {
                    code: code.into(),
                    message: "as told".into(),
                    retryable: code != "ClientException",
                });
            }
            self.accepted.lock().expect("unpoisoned").push((Instant::now(), request));
            Ok(SubmitTaskStateChangeResponse::default())
        })
    }
}
