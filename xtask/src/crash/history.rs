//! Short histories of a few clients on a small cluster of their own, checked for linearizability.
//!
//! Only definitions whose tasks nobody but a caller stops are used, so that a sequential model explains every answer.
//! Histories go on across kills; a call without an answer happened at some moment or never.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::call::{Answer, Behaviour, Call, Desired, Filter, ListTasks, Name, Outcome, Request, RunTask, TaskId};
use super::client::{Client, Over, Shared};
use super::judge::Violation;
use super::random::Random;

/// Clients of one history.
pub const CLIENTS: usize = 3;

/// Calls of each of them.
const CALLS: usize = 8;

/// Pause between two histories, so that clusters do not pile up.
const PAUSE: Duration = Duration::from_millis(120);

/// Makes and checks histories until everything is over. The clients' numbers begin with `first`.
pub fn histories(shared: &Shared, first: usize, mut random: Random) {
    while history(shared, first, &mut random).is_ok() {
        shared.gate.pause(PAUSE);
    }
}

fn history(shared: &Shared, first: usize, random: &mut Random) -> Result<(), Over> {
    let cluster = shared.name("history");
    let mut client = Client::new(first, shared);
    until_answered(&mut client, &Request::CreateCluster { cluster: cluster.clone() })?;
    let known = Mutex::new(Vec::new());
    let streams: Vec<Random> = (0..CLIENTS).map(|_| random.fork(shared.unique())).collect();
    let calls = std::thread::scope(|scope| {
        let clients = streams.into_iter().enumerate().map(|(number, random)| {
            let part = Part { client: Client::new(first + number, shared), cluster: &cluster, known: &known, random };
            scope.spawn(move || part.calls())
        });
        let clients: Vec<_> = clients.collect();
        let parts = clients.into_iter().map(|part| part.join().unwrap_or(Err(Over)));
        parts.collect::<Result<Vec<_>, Over>>()
    })?;
    let mut calls: Vec<Call> = calls.into_iter().flatten().collect();
    let ends = look_at_all(&mut client, &cluster, &mut calls)?;
    let kills: Vec<usize> = calls.iter().map(|call| call.kills).collect();
    let across = kills.iter().max() > kills.iter().min();
    let checked = check(&cluster, &calls, &ends)
        .map_err(|text| Violation::new("histories are linearizable", text, calls.iter().map(|call| call.number)));
    shared.check(checked)?;
    shared.counts.histories.fetch_add(1, Ordering::Relaxed);
    shared.counts.histories_across.fetch_add(usize::from(across), Ordering::Relaxed);
    Ok(())
}

fn until_answered(client: &mut Client<'_>, request: &Request) -> Result<Call, Over> {
    loop {
        let call = client.call(request.clone())?;
        if matches!(call.outcome, Outcome::Answered(_)) {
            return Ok(call);
        }
    }
}

/// One client's part of a history.
struct Part<'a> {
    client: Client<'a>,
    cluster: &'a Name,
    /// Tasks that somebody has seen.
    known: &'a Mutex<Vec<TaskId>>,
    random: Random,
}

impl Part<'_> {
    fn calls(mut self) -> Result<Vec<Call>, Over> {
        let mut calls = Vec::new();
        for _ in 0..CALLS {
            let request = self.request();
            let call = self.client.call(request)?;
            if let (Request::RunTask(_), Outcome::Answered(Answer::Tasks { tasks, .. })) =
                (&call.request, &call.outcome)
            {
                let ids = tasks.iter().map(|task| task.id);
                self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
            }
            calls.push(call);
        }
        Ok(calls)
    }

    fn request(&mut self) -> Request {
        let cluster = self.cluster.clone();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let some = self.random.pick(&known).copied();
        match (self.random.below(10), some) {
            (0..3, Some(task)) => Request::StopTask { cluster, task },
            (3..4, Some(_)) => {
                let tasks = known.iter().rev().take(4).copied().collect();
                Request::DescribeTasks { cluster, tasks }
            }
            (4..7, _) => {
                let desired = if self.random.chance(70) { Desired::Running } else { Desired::Stopped };
                list(cluster, desired)
            }
            _ => Request::RunTask(RunTask {
                cluster,
                family: Behaviour::Waiting.family().into(),
                count: self.random.between(1, 2),
                started_by: self.client.shared.name("run"),
                token: None,
            }),
        }
    }
}

/// Both lists and every task, after everybody's calls. Returns the tasks that ended without a StopTask.
fn look_at_all(client: &mut Client<'_>, cluster: &Name, calls: &mut Vec<Call>) -> Result<Vec<TaskId>, Over> {
    let mut all = Vec::new();
    for desired in [Desired::Running, Desired::Stopped] {
        let call = until_answered(client, &list(cluster.clone(), desired))?;
        if let Outcome::Answered(Answer::Listed { tasks, .. }) = &call.outcome {
            all.extend(tasks.iter().copied());
        }
        calls.push(call);
    }
    let mut ends = Vec::new();
    if !all.is_empty() {
        let call = until_answered(client, &Request::DescribeTasks { cluster: cluster.clone(), tasks: all })?;
        if let Outcome::Answered(Answer::Tasks { tasks, .. }) = &call.outcome {
            let by_itself = |stop: &(String, String)| stop.0 != "UserInitiated";
            let ended = tasks.iter().filter(|task| task.stop.as_ref().is_some_and(by_itself));
            ends.extend(ended.map(|task| task.id));
        }
        calls.push(call);
    }
    Ok(ends)
}

fn list(cluster: Name, desired: Desired) -> Request {
    Request::ListTasks(ListTasks { cluster, desired, filter: Filter::All, limit: 100, token: None })
}

#[cfg(feature = "crash")]
use super::model::check;

/// Without the checker no history is accepted.
#[cfg(not(feature = "crash"))]
fn check(_: &Name, _: &[Call], _: &[TaskId]) -> Result<(), String> {
    Err("this driver was built without the checker (feature crash)".to_owned())
}
