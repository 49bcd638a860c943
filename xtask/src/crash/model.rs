//! Recorded calls in the words of the linearizability checker.

use std::collections::HashMap;
use std::sync::Arc;

use longshore_sim::linearizability::tasks::{self as model, TaskCall, TaskInput, TaskModel, TaskOutput};
use longshore_sim::linearizability::{self, Call as ModelCall};

use super::call::{Answer, Call, Desired, Name, Outcome, Request, TaskId};

/// Steps of the search; a correct history needs a few for each call.
const STEPS: usize = 1_000_000;

/// Whether a history is linearizable. The last calls looked at everything; `ends` are tasks that ended by themselves.
///
/// # Errors
/// Why not.
pub fn check(cluster: &Name, calls: &[Call], ends: &[TaskId]) -> Result<(), String> {
    let listed: Vec<TaskId> = calls.iter().filter_map(full_list).next_back().map(<[_]>::to_vec).unwrap_or_default();
    let came_of = came_of(calls, &listed);
    let mut history: Vec<_> = calls.iter().filter_map(|call| translate(cluster, call, &came_of)).collect();
    let begun = calls.iter().map(|call| call.invoked).min().unwrap_or_default();
    history.extend(ends.iter().map(|id| ModelCall {
        client: 0,
        invoked: begun,
        returned: None,
        input: TaskInput { cluster: Arc::clone(cluster), call: TaskCall::TaskEnds { task: task(*id) } },
        output: None,
    }));
    linearizability::check(&TaskModel, &history, STEPS).map_err(|violation| violation.to_string())
}

fn full_list(call: &Call) -> Option<&[TaskId]> {
    match (&call.request, &call.outcome) {
        (Request::DescribeTasks { tasks, .. }, Outcome::Answered(_)) => Some(tasks),
        _ => None,
    }
}

/// The tasks of each `startedBy`, in the order of the last look.
fn came_of(calls: &[Call], listed: &[TaskId]) -> HashMap<Name, Vec<TaskId>> {
    let mut by_run: HashMap<Name, Vec<TaskId>> = HashMap::new();
    let described = calls.iter().rev().find(|call| full_list(call).is_some_and(|tasks| tasks == listed));
    if let Some(Outcome::Answered(Answer::Tasks { tasks, .. })) = described.map(|call| &call.outcome) {
        for seen in tasks {
            if let Some(identity) = &seen.identity {
                by_run.entry(identity.started_by.clone()).or_default().push(seen.id);
            }
        }
    }
    by_run
}

fn translate(
    cluster: &Name,
    call: &Call,
    came_of: &HashMap<Name, Vec<TaskId>>,
) -> Option<ModelCall<TaskInput, TaskOutput>> {
    let answered = match &call.outcome {
        Outcome::Answered(answer) => Some(answer),
        _ => None,
    };
    let done = || match &call.outcome {
        Outcome::Answered(_) => Some(TaskOutput::Done),
        Outcome::Refused { .. } => Some(TaskOutput::Refused),
        Outcome::Lost(_) | Outcome::Nonsense(_) => None,
    };
    let (input, output) = match &call.request {
        Request::RunTask(run) => {
            let tasks = match answered {
                Some(Answer::Tasks { tasks, .. }) => tasks.iter().map(|seen| task(seen.id)).collect(),
                _ => came_of.get(&run.started_by).into_iter().flatten().map(|id| task(*id)).collect(),
            };
            (TaskCall::RunTask { tasks }, done())
        }
        // A StopTask that was throttled says nothing of its task.
        Request::StopTask { .. } if matches!(call.outcome, Outcome::Refused { .. }) => return None,
        Request::StopTask { task: id, .. } => (TaskCall::StopTask { task: task(*id) }, done()),
        Request::ListTasks(list) => match answered? {
            Answer::Listed { tasks, .. } => {
                let listed = tasks.iter().map(|id| task(*id)).collect();
                (TaskCall::ListTasks { desired: desired(list.desired) }, Some(TaskOutput::Listed(listed)))
            }
            _ => return None,
        },
        Request::DescribeTasks { tasks: asked, .. } => match answered? {
            Answer::Tasks { tasks, .. } => {
                let one = |id: &TaskId| tasks.iter().find(|seen| seen.id == *id).map(|seen| desired(seen.desired));
                let described = asked.iter().map(one).collect();
                let asked = asked.iter().map(|id| task(*id)).collect();
                (TaskCall::DescribeTasks { tasks: asked }, Some(TaskOutput::Described(described)))
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(ModelCall {
        client: u32::try_from(call.client).unwrap_or_default(),
        invoked: call.invoked,
        returned: output.is_some().then_some(call.ended),
        input: TaskInput { cluster: Arc::clone(cluster), call: input },
        output,
    })
}

fn task(id: TaskId) -> model::Task {
    id.to_string().into()
}

fn desired(desired: Desired) -> model::Desired {
    match desired {
        Desired::Running => model::Desired::Running,
        Desired::Stopped => model::Desired::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{Behaviour, Filter, Identity, ListTasks, RunTask, TaskSeen};
    use super::*;

    const RAN: &str = "run-1";

    fn call(number: u64, request: Request, outcome: Outcome) -> Call {
        let (invoked, ended) = (number * 10, number * 10 + 5);
        Call { number, client: 0, kills: 0, invoked, ended, request, outcome }
    }

    fn seen(id: u128) -> TaskSeen {
        let identity = Identity {
            started_by: RAN.into(),
            definition: "waiting:1".into(),
            created_at: "1".into(),
            launch_type: "EC2".into(),
        };
        let (id, cluster) = (TaskId(id), "h".into());
        TaskSeen { id, cluster, desired: Desired::Running, last: 1, identity: Some(identity), stop: None }
    }

    fn run(number: u64, outcome: Outcome) -> Call {
        let family = Behaviour::Waiting.family().into();
        let run = RunTask { cluster: "h".into(), family, count: 1, started_by: RAN.into(), token: None };
        call(number, Request::RunTask(run), outcome)
    }

    fn list(number: u64, ids: &[u128]) -> Call {
        let (cluster, desired, filter) = ("h".into(), Desired::Running, Filter::All);
        let list = ListTasks { cluster, desired, filter, limit: 100, token: None };
        let tasks = ids.iter().copied().map(TaskId).collect();
        call(number, Request::ListTasks(list), Outcome::Answered(Answer::Listed { tasks, next: None }))
    }

    fn describe(number: u64, ids: &[u128]) -> Call {
        let request = Request::DescribeTasks { cluster: "h".into(), tasks: ids.iter().copied().map(TaskId).collect() };
        let tasks = ids.iter().copied().map(seen).collect();
        call(number, request, Outcome::Answered(Answer::Tasks { tasks, failures: vec![] }))
    }

    fn verdict(calls: &[Call]) -> bool {
        check(&"h".into(), calls, &[]).is_ok()
    }

    #[test]
    fn a_lost_call_is_known_by_what_came_of_it() {
        let lost = || run(1, Outcome::Lost("killed".into()));
        assert!(verdict(&[lost(), list(2, &[]), list(3, &[7]), describe(4, &[7])]));
        assert!(!verdict(&[lost(), list(2, &[7]), list(3, &[]), list(4, &[7]), describe(5, &[7])]));
        assert!(verdict(&[lost(), list(2, &[])]));
    }

    #[test]
    fn an_answered_call_is_seen_by_every_later_one() {
        let ran = || run(1, Outcome::Answered(Answer::Tasks { tasks: vec![seen(7)], failures: vec![] }));
        assert!(verdict(&[ran(), list(2, &[7]), describe(3, &[7])]));
        assert!(!verdict(&[ran(), list(2, &[]), describe(3, &[7])]));
    }
}
