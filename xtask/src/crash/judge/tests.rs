//! Made-up logs, each with one fault that must be found, beside the same without it.

use super::super::call::{
    Answer, Behaviour, Call, DefinitionSeen, Desired, Filter, Identity, ListTasks, Name, Outcome, Request, RunTask,
    STATUSES, TaskId, TaskSeen,
};
use super::{Judge, Traversal, Violation};

const CLUSTER: &str = "c";

/// A judge and a clock: every call takes ten ticks and begins after the one before it.
struct Log {
    judge: Judge,
    number: u64,
    ended: Vec<Call>,
}

fn run(started_by: &str, count: usize, token: Option<&str>) -> RunTask {
    RunTask {
        cluster: CLUSTER.into(),
        family: "waiting".into(),
        count,
        started_by: started_by.into(),
        token: token.map(Into::into),
    }
}

fn seen(id: u128, started_by: &str, last: &str) -> TaskSeen {
    TaskSeen {
        id: TaskId(id),
        cluster: CLUSTER.into(),
        desired: if last == "STOPPED" { Desired::Stopped } else { Desired::Running },
        last: STATUSES.iter().position(|name| *name == last).unwrap(),
        identity: Some(Identity {
            started_by: started_by.into(),
            definition: "waiting:1".into(),
            created_at: "1".into(),
            launch_type: "EC2".into(),
        }),
        stop: None,
    }
}

fn tasks(tasks: Vec<TaskSeen>) -> Outcome {
    Outcome::Answered(Answer::Tasks { tasks, failures: vec![] })
}

fn lost() -> Outcome {
    Outcome::Lost("killed".into())
}

fn conflict(ids: &[u128]) -> Outcome {
    let resources = ids.iter().copied().map(TaskId).collect();
    Outcome::Refused { code: "ConflictException".into(), message: String::new(), resources }
}

fn list(desired: Desired, filter: Filter) -> ListTasks {
    ListTasks { cluster: CLUSTER.into(), desired, filter, limit: 100, token: None }
}

impl Log {
    fn new() -> Self {
        let mut log = Self { judge: Judge::default(), number: 0, ended: Vec::new() };
        log.cluster("CreateCluster", Some(true)).unwrap();
        log
    }

    fn call(&mut self, request: Request, outcome: Outcome) -> Result<(), Violation> {
        self.number += 1;
        let invoked = self.number * 100;
        self.judge.announce(self.number, &request, invoked);
        let call = Call { number: self.number, client: 0, kills: 0, invoked, ended: invoked + 10, request, outcome };
        self.ended.push(call.clone());
        self.judge.take(&call)
    }

    fn run(&mut self, input: RunTask, outcome: Outcome) -> Result<(), Violation> {
        self.call(Request::RunTask(input), outcome)
    }

    /// An answered RunTask without a token.
    fn ran(&mut self, started_by: &str, ids: &[u128]) {
        let shown = ids.iter().map(|id| seen(*id, started_by, "PENDING")).collect();
        self.run(run(started_by, ids.len(), None), tasks(shown)).unwrap();
    }

    fn describe(&mut self, shown: Vec<TaskSeen>) -> Result<(), Violation> {
        let asked = shown.iter().map(|task| task.id).collect();
        self.call(Request::DescribeTasks { cluster: CLUSTER.into(), tasks: asked }, tasks(shown))
    }

    fn page(&mut self, desired: Desired, filter: Filter, ids: &[u128]) -> Result<Traversal, Violation> {
        let listed = ids.iter().copied().map(TaskId).collect();
        let list = list(desired, filter);
        let mut traversal = Traversal::new(list.clone());
        self.call(Request::ListTasks(list), Outcome::Answered(Answer::Listed { tasks: listed, next: None }))?;
        traversal.add(self.ended.last().unwrap());
        Ok(traversal)
    }

    /// Both lists, as after a restart.
    fn settle(&mut self, running: &[u128], stopped: &[u128]) -> Result<(), Violation> {
        let running = self.page(Desired::Running, Filter::All, running)?;
        let stopped = self.page(Desired::Stopped, Filter::All, stopped)?;
        self.judge.settle(&running, &stopped)
    }

    fn cluster(&mut self, operation: &str, active: Option<bool>) -> Result<(), Violation> {
        let cluster: Name = CLUSTER.into();
        let request = match operation {
            "CreateCluster" => Request::CreateCluster { cluster: cluster.clone() },
            "DeleteCluster" => Request::DeleteCluster { cluster: cluster.clone() },
            _ => Request::DescribeClusters { clusters: vec![cluster.clone()] },
        };
        let shown = |active| Outcome::Answered(Answer::Clusters(vec![(cluster.clone(), active)]));
        self.call(request, active.map_or_else(lost, shown))
    }

    fn register(&mut self, marker: u64, revision: Option<u32>) -> Result<(), Violation> {
        let request = Request::RegisterTaskDefinition { family: "f".into(), behaviour: Behaviour::Lasting, marker };
        let shown = |revision| Outcome::Answered(Answer::Definition(DefinitionSeen { revision, marker, active: true }));
        self.call(request, revision.map_or_else(lost, shown))
    }

    fn definition(&mut self, revision: u32, marker: u64, active: bool) -> Result<(), Violation> {
        let request = Request::DescribeTaskDefinition { family: "f".into(), revision };
        self.call(request, Outcome::Answered(Answer::Definition(DefinitionSeen { revision, marker, active })))
    }
}

#[track_caller]
fn broken<T: std::fmt::Debug>(rule: &str, outcome: Result<T, Violation>) {
    assert_eq!(outcome.unwrap_err().rule, rule);
}

#[test]
fn a_lost_task_is_found_by_list_and_by_describe() {
    let mut log = Log::new();
    log.ran("a", &[1, 2]);
    log.settle(&[1], &[2]).unwrap();
    broken("nothing is lost", log.settle(&[1], &[]));
    let missing = Outcome::Answered(Answer::Tasks { tasks: vec![], failures: vec!["MISSING".into()] });
    let asked = Request::DescribeTasks { cluster: CLUSTER.into(), tasks: vec![TaskId(1)] };
    broken("nothing is lost", log.call(asked, missing));
}

#[test]
fn what_a_list_showed_is_not_lost_although_nobody_acknowledged_it() {
    let mut log = Log::new();
    log.run(run("a", 1, None), lost()).unwrap();
    log.page(Desired::Running, Filter::All, &[1]).unwrap();
    broken("nothing is lost", log.settle(&[], &[]));
}

#[test]
fn half_a_call_is_found_and_a_whole_one_or_none_is_not() {
    for (there, good) in [(vec![], true), (vec![1, 2, 3], true), (vec![1], false), (vec![1, 2], false)] {
        let mut log = Log::new();
        log.run(run("a", 3, None), lost()).unwrap();
        if !there.is_empty() {
            log.describe(there.iter().map(|id| seen(*id, "a", "PENDING")).collect()).unwrap();
        }
        let settled = log.settle(&there, &[]);
        assert_eq!(settled.is_ok(), good, "{there:?}: {settled:?}");
    }
}

#[test]
fn a_call_that_had_not_happened_never_does() {
    let mut log = Log::new();
    log.run(run("a", 1, None), lost()).unwrap();
    log.settle(&[], &[]).unwrap();
    broken("a call happens before its end", log.describe(vec![seen(1, "a", "PENDING")]));
}

#[test]
fn a_doubled_task_is_found() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    broken("nothing runs twice", log.describe(vec![seen(2, "a", "PENDING")]));
    let mut log = Log::new();
    log.run(run("a", 1, Some("t")), lost()).unwrap();
    log.describe(vec![seen(1, "a", "PENDING")]).unwrap();
    broken("nothing runs twice", log.run(run("a", 1, Some("t")), tasks(vec![seen(2, "a", "PENDING")])));
}

#[test]
fn a_token_answers_the_same_again() {
    let mut log = Log::new();
    let input = || run("a", 1, Some("t"));
    log.run(input(), tasks(vec![seen(1, "a", "PENDING")])).unwrap();
    log.run(input(), tasks(vec![seen(1, "a", "PENDING")])).unwrap();
    broken("a token protects", log.run(input(), tasks(vec![seen(2, "a", "PENDING")])));
}

#[test]
fn a_token_belongs_to_one_input() {
    let mut log = Log::new();
    log.run(run("a", 1, Some("t")), tasks(vec![seen(1, "a", "PENDING")])).unwrap();
    log.run(run("b", 1, Some("t")), conflict(&[1])).unwrap();
    broken("a token protects", log.run(run("b", 1, Some("t")), conflict(&[9])));
    broken("a token protects", log.run(run("a", 1, Some("t")), conflict(&[1])));
    broken("a token protects", log.run(run("c", 1, Some("t")), tasks(vec![seen(2, "c", "PENDING")])));
}

#[test]
fn a_conflict_vouches_for_the_call_that_had_no_answer() {
    let mut log = Log::new();
    log.run(run("a", 1, Some("t")), lost()).unwrap();
    log.run(run("b", 1, Some("t")), conflict(&[1])).unwrap();
    broken("nothing is lost", log.settle(&[], &[]));
}

#[test]
fn a_stop_is_kept() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    let stop = Request::StopTask { cluster: CLUSTER.into(), task: TaskId(1) };
    let mut stopping = seen(1, "a", "PENDING");
    stopping.desired = Desired::Stopped;
    log.call(stop, tasks(vec![stopping])).unwrap();
    log.page(Desired::Stopped, Filter::All, &[1]).unwrap();
    broken("statuses never go back", log.page(Desired::Running, Filter::All, &[1]));
}

#[test]
fn a_status_never_goes_back() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    log.describe(vec![seen(1, "a", "RUNNING")]).unwrap();
    broken("statuses never go back", log.describe(vec![seen(1, "a", "PENDING")]));
}

#[test]
fn answers_to_calls_at_the_same_time_may_come_in_any_order() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    log.describe(vec![seen(1, "a", "STOPPED")]).unwrap();
    let mut early = log.ended.last().unwrap().clone();
    (early.number, early.ended) = (99, early.ended + 500);
    early.outcome = tasks(vec![seen(1, "a", "RUNNING")]);
    log.judge.take(&early).unwrap();
}

#[test]
fn what_never_changes_is_not_changed() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    let mut other = seen(1, "a", "PENDING");
    other.identity.as_mut().unwrap().created_at = "2".into();
    broken("what is written stays", log.describe(vec![other]));
}

#[test]
fn a_task_of_nobody_is_found() {
    broken("only what was asked for", Log::new().describe(vec![seen(1, "x", "PENDING")]));
}

#[test]
fn an_id_is_used_once() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    broken("ids are never used twice", log.run(run("b", 1, None), tasks(vec![seen(1, "b", "PENDING")])));
}

#[test]
fn a_task_of_a_deleted_cluster_does_not_come_back() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    log.describe(vec![seen(1, "a", "STOPPED")]).unwrap();
    log.cluster("DeleteCluster", None).unwrap();
    log.cluster("DescribeClusters", Some(true)).unwrap();
    log.cluster("DeleteCluster", Some(false)).unwrap();
    log.cluster("CreateCluster", Some(true)).unwrap();
    log.settle(&[], &[]).unwrap();
    broken("no task comes back", log.page(Desired::Stopped, Filter::All, &[1]));
}

#[test]
fn a_cluster_stays_what_it_was_made() {
    let mut log = Log::new();
    log.cluster("DescribeClusters", Some(true)).unwrap();
    broken("clusters stay", log.cluster("DescribeClusters", Some(false)));
    log.cluster("DeleteCluster", Some(false)).unwrap();
    broken("clusters stay", log.cluster("DescribeClusters", Some(true)));
    broken("only expected refusals", {
        let refused = Outcome::Refused { code: "ServerException".into(), message: String::new(), resources: vec![] };
        log.call(Request::CreateCluster { cluster: CLUSTER.into() }, refused)
    });
}

#[test]
fn a_reordered_list_is_found() {
    for (order, good) in [(vec![1, 2, 3], true), (vec![1, 3], true), (vec![3, 1, 2], false), (vec![2, 1, 3], false)] {
        let mut log = Log::new();
        log.ran("a", &[1, 2]);
        log.ran("b", &[3]);
        let traversal = log.page(Desired::Running, Filter::All, &order).unwrap();
        let judged = log.judge.in_order(&traversal.tasks, &traversal.pages);
        assert_eq!(judged.is_ok(), good, "{order:?}: {judged:?}");
    }
    let mut log = Log::new();
    log.ran("a", &[1, 2]);
    log.run(run("b", 1, None), tasks(vec![seen(3, "b", "PENDING")])).unwrap();
    let traversal = log.page(Desired::Running, Filter::All, &[1, 3, 2]).unwrap();
    broken("order is creation order", log.judge.traversed(&traversal));
}

#[test]
fn a_traversal_lists_each_task_once() {
    let mut log = Log::new();
    log.ran("a", &[1, 2]);
    let twice = log.page(Desired::Running, Filter::All, &[1, 2, 1]).unwrap();
    broken("a traversal lists each task once", log.judge.traversed(&twice));
    let without = log.page(Desired::Running, Filter::All, &[1]).unwrap();
    assert_eq!(log.judge.traversed(&without), Ok(vec![TaskId(2)]));
    log.judge.left_out(&without, &[TaskId(2)]).unwrap();
    log.describe(vec![seen(2, "a", "PENDING")]).unwrap();
    broken("a traversal lists each task once", log.judge.left_out(&without, &[TaskId(2)]));
}

#[test]
fn a_traversal_of_stopped_tasks_leaves_out_none() {
    let mut log = Log::new();
    log.ran("a", &[1, 2]);
    log.describe(vec![seen(2, "a", "STOPPED")]).unwrap();
    let good = log.page(Desired::Stopped, Filter::Family("waiting".into()), &[2]).unwrap();
    assert_eq!(log.judge.traversed(&good), Ok(vec![]));
    let without = log.page(Desired::Stopped, Filter::StartedBy("a".into()), &[]).unwrap();
    broken("a traversal lists each task once", log.judge.traversed(&without));
}

#[test]
fn a_list_shows_only_what_passes_its_filter() {
    let mut log = Log::new();
    log.ran("a", &[1]);
    log.page(Desired::Running, Filter::StartedBy("a".into()), &[1]).unwrap();
    broken("lists and descriptions agree", log.page(Desired::Running, Filter::Family("short".into()), &[1]));
    let mut log = Log::new();
    log.run(run("a", 1, None), lost()).unwrap();
    log.page(Desired::Running, Filter::Family("short".into()), &[1]).unwrap();
    broken("lists and descriptions agree", log.describe(vec![seen(1, "a", "PENDING")]));
}

#[test]
fn a_revision_is_used_once_and_stays() {
    let mut log = Log::new();
    log.register(1, Some(1)).unwrap();
    log.register(2, None).unwrap();
    log.register(3, Some(3)).unwrap();
    broken("revisions are never used twice", log.register(4, Some(3)));
    let look = log.number;
    assert_eq!(log.judge.listed_revisions(&"f".into(), &[1, 2, 3], &[], look), Ok(vec![2]));
    broken("revisions are never used twice", log.judge.listed_revisions(&"f".into(), &[1, 3], &[], look));
    broken("nothing is lost", log.judge.listed_revisions(&"f".into(), &[1, 2], &[], look));
    broken("revisions are never used twice", log.definition(1, 2, true));
    broken("nothing runs twice", log.definition(4, 1, true));
    log.definition(2, 2, true).unwrap();
    broken("only what was asked for", log.definition(2, 2, false));
    broken("order is creation order", {
        let mut log = Log::new();
        log.register(1, Some(2)).unwrap();
        log.register(2, Some(1))
    });
}

#[test]
fn a_registration_that_had_not_happened_never_does() {
    let mut log = Log::new();
    log.register(1, None).unwrap();
    log.judge.settle_family(&"f".into(), log.number, (log.number + 1) * 100);
    broken("a call happens before its end", log.definition(1, 1, true));
}
