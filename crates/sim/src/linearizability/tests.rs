//! Histories that are known to be good or bad.

use super::tasks::{Desired, Task, TaskCall, TaskInput, TaskModel, TaskOutput};
use super::{Call, Violation, check};

type TaskHistory = Vec<Call<TaskInput, TaskOutput>>;

/// A history as it is written down: every call with its times.
#[derive(Default)]
struct History(TaskHistory);

fn ids(names: &[&str]) -> Vec<Task> {
    names.iter().map(|name| Task::from(*name)).collect()
}

impl History {
    fn call(mut self, invoked: u64, returned: Option<u64>, call: TaskCall, output: Option<TaskOutput>) -> Self {
        let input = TaskInput { cluster: "default".into(), call };
        self.0.push(Call { client: self.0.len() as u32, invoked, returned, input, output });
        self
    }

    fn run(self, invoked: u64, returned: u64, tasks: &[&str]) -> Self {
        self.call(invoked, Some(returned), TaskCall::RunTask { tasks: ids(tasks) }, Some(TaskOutput::Done))
    }

    fn run_unanswered(self, invoked: u64, tasks: &[&str]) -> Self {
        self.call(invoked, None, TaskCall::RunTask { tasks: ids(tasks) }, None)
    }

    fn stop(self, invoked: u64, returned: u64, task: &str) -> Self {
        self.call(invoked, Some(returned), TaskCall::StopTask { task: task.into() }, Some(TaskOutput::Done))
    }

    fn stop_unanswered(self, invoked: u64, task: &str) -> Self {
        self.call(invoked, None, TaskCall::StopTask { task: task.into() }, None)
    }

    fn running(self, invoked: u64, returned: u64, listed: &[&str]) -> Self {
        let call = TaskCall::ListTasks { desired: Desired::Running };
        self.call(invoked, Some(returned), call, Some(TaskOutput::Listed(ids(listed))))
    }

    fn describe(self, invoked: u64, returned: u64, task: &str, found: Option<Desired>) -> Self {
        let call = TaskCall::DescribeTasks { tasks: ids(&[task]) };
        self.call(invoked, Some(returned), call, Some(TaskOutput::Described(vec![found])))
    }

    fn check(&self) -> Result<(), Violation> {
        check(&TaskModel, &self.0, 100_000)
    }

    #[track_caller]
    fn good(self) {
        assert_eq!(self.check(), Ok(()));
    }

    #[track_caller]
    fn bad(self) {
        assert!(matches!(self.check(), Err(Violation::NotLinearizable { .. })), "{:?}", self.0);
    }
}

#[test]
fn one_call_after_another() {
    History::default().run(0, 1, &["a", "b"]).running(2, 3, &["a", "b"]).stop(4, 5, "a").running(6, 7, &["b"]).good();
    History::default().run(0, 1, &["a"]).running(2, 3, &[]).bad();
    History::default().run(0, 1, &["a"]).stop(2, 3, "a").running(4, 5, &["a"]).bad();
    History::default().running(0, 1, &["a"]).run(2, 3, &["a"]).bad();
    History::default().run(0, 1, &["a", "b"]).running(2, 3, &["b", "a"]).bad();
}

#[test]
fn a_call_takes_effect_anywhere_between_its_ends() {
    History::default().run(0, 10, &["a"]).running(1, 2, &[]).running(3, 4, &["a"]).good();
    History::default().run(0, 10, &["a"]).running(1, 2, &["a"]).running(3, 4, &[]).bad();
    History::default().run(0, 10, &["a"]).run(0, 10, &["b"]).running(1, 2, &["b"]).running(11, 12, &["b", "a"]).good();
    History::default().run(0, 10, &["a"]).run(0, 10, &["b"]).running(1, 2, &["b"]).running(11, 12, &["a", "b"]).bad();
}

#[test]
fn calls_that_meet_at_one_moment_are_concurrent() {
    History::default().run(0, 5, &["a"]).running(5, 6, &[]).good();
    History::default().run(0, 5, &["a"]).running(6, 7, &[]).bad();
}

#[test]
fn two_readers_that_see_two_writes_in_two_orders() {
    let two = |first: &str, second: &str| {
        History::default().run(0, 1, &["a", "b"]).stop(2, 20, "a").stop(2, 20, "b").running(3, 4, &[first]).running(
            5,
            6,
            &[second],
        )
    };
    two("a", "a").good();
    two("a", "b").bad();
}

#[test]
fn a_call_without_an_answer_happened_or_not_at_any_later_moment() {
    History::default().run_unanswered(0, &["a"]).running(5, 6, &[]).good();
    History::default().run_unanswered(0, &["a"]).running(5, 6, &[]).running(7, 8, &["a"]).good();
    History::default().run_unanswered(0, &["a"]).running(5, 6, &["a"]).running(7, 8, &[]).bad();
    History::default().running(0, 1, &["a"]).run_unanswered(2, &["a"]).bad();
    History::default().run_unanswered(0, &["a", "b"]).running(5, 6, &["a"]).bad();
    let stopped = History::default().run(0, 1, &["a"]).stop_unanswered(2, "a");
    stopped.running(3, 4, &["a"]).running(5, 6, &[]).describe(7, 8, "a", Some(Desired::Stopped)).good();
}

#[test]
fn an_answer_that_says_nothing_is_none() {
    let refused = TaskCall::RunTask { tasks: ids(&["a"]) };
    History::default().call(0, Some(1), refused.clone(), None).running(2, 3, &[]).running(4, 5, &["a"]).good();
    History::default().call(0, Some(1), refused, Some(TaskOutput::Refused)).running(4, 5, &["a"]).bad();
}

#[test]
fn list_and_describe_agree() {
    let ends = TaskCall::TaskEnds { task: "a".into() };
    let ran = || History::default().run(0, 1, &["a"]).call(2, None, ends.clone(), None);
    ran().running(3, 4, &[]).describe(5, 6, "a", Some(Desired::Stopped)).good();
    ran().running(3, 4, &[]).describe(5, 6, "a", Some(Desired::Running)).bad();
    ran().describe(5, 6, "a", None).bad();
    let expires = TaskCall::TaskExpires { task: "a".into() };
    ran().call(3, None, expires.clone(), None).describe(5, 6, "a", None).good();
    History::default().run(0, 1, &["a"]).call(3, None, expires, None).describe(5, 6, "a", None).bad();
}

#[test]
fn clusters_are_checked_apart() {
    let mut history = History::default().run(0, 1, &["a"]).run(2, 3, &["b"]).running(4, 5, &["b"]);
    assert!(history.check().is_err());
    history.0[0].input.cluster = "other".into();
    history.good();
}

/// Eight clients at once, each of which starts and stops, with lists in between: what one writer would have answered.
fn busy(rounds: u64) -> TaskHistory {
    let mut history = History::default();
    let mut running: Vec<String> = Vec::new();
    for round in 0..rounds {
        let from = round * 100;
        for client in 0..8 {
            let task = format!("{round}-{client}");
            // Each takes effect at `from + client`, but the ends overlap with everybody's.
            history = history.run(from, from + 90, &[&task]);
            running.push(task);
            if client % 3 == 0 {
                history = history.run_unanswered(from, &[&format!("never-{round}-{client}")]);
            }
            let listed: Vec<&str> = running.iter().map(String::as_str).collect();
            history = history.running(from + client, from + 90, &listed);
        }
        let stopped = running.remove(running.len() / 2);
        history = history.stop(from + 91, from + 99, &stopped);
    }
    history.0
}

#[test]
fn a_long_concurrent_history_is_decided_within_its_bound() {
    let mut history = busy(50);
    assert_eq!(check(&TaskModel, &history, 10_000), Ok(()));
    let last = history.iter_mut().rev().find_map(|call| match &mut call.output {
        Some(TaskOutput::Listed(listed)) => Some(listed),
        _ => None,
    });
    last.unwrap().remove(7);
    assert!(matches!(
        check(&TaskModel, &history, 10_000),
        Err(Violation::NotLinearizable { .. } | Violation::Undecided { .. })
    ));
}

#[test]
fn the_bound_of_work_is_kept() {
    let violation = check(&TaskModel, &busy(50), 100).unwrap_err();
    assert!(matches!(violation, Violation::Undecided { steps: 100, .. }), "{violation}");
    assert_eq!(violation.to_string(), "undecided in \"default\" after 100 steps");
}

#[test]
fn a_violation_names_what_cannot_be() {
    let history = History::default().run(0, 1, &["a"]).running(2, 3, &[]);
    let text = history.check().unwrap_err().to_string();
    assert!(text.starts_with("not linearizable in \"default\": after 1 of 2 answered calls none of [Call"), "{text}");
    assert!(text.contains("(\"a\", Running)"), "{text}");
}
