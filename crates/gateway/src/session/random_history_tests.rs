//! Whatever happens and whatever gets lost, the node finally knows exactly what is wanted of each task.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use longshore_domain::task::{DesiredStatus, TaskStatus};
use longshore_ecs_wire::agent::{self, Frame, PayloadMessage};
use proptest::prelude::*;
use tokio::time::advance;

use crate::testing::{Rig, desired, key, task, task_arn, with};

const TASKS: u64 = 12;

#[derive(Debug, Clone)]
enum Step {
    /// A task is placed on the node.
    Start(u64),
    /// A task is to stop.
    Stop(u64),
    /// The node reports a task that it knows as running, or, if it is to stop, as stopped.
    Report(u64),
    /// The node takes in the oldest message and acknowledges it.
    Take,
    /// The node takes in the oldest message, and the acknowledgement is lost, or comes at the very end.
    TakeSilently,
    /// The oldest message is lost.
    Lose,
    /// The acknowledgement deadline passes.
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..=TASKS).prop_map(Step::Start),
        3 => (1..=TASKS).prop_map(Step::Stop),
        2 => (1..=TASKS).prop_map(Step::Report),
        3 => Just(Step::Take),
        2 => Just(Step::TakeSilently),
        1 => Just(Step::Lose),
        1 => Just(Step::Wait),
    ]
}

/// A node that knows of each task the strongest thing it was told.
#[derive(Default)]
struct Model {
    knows: BTreeMap<String, agent::DesiredStatus>,
    inbox: VecDeque<PayloadMessage>,
    late: Vec<String>,
}

impl Model {
    fn take(&mut self) -> Option<String> {
        let payload = self.inbox.pop_front()?;
        for task in payload.tasks {
            let known = self.knows.entry(task.arn).or_default();
            *known = task.desired_status.max(*known);
        }
        Some(payload.message_id)
    }
}

/// Everything the session says until it has nothing more to say.
async fn listen(rig: &mut Rig, model: &mut Model) {
    for _ in 0..2 {
        let marker = rig.manifest.clone();
        rig.send(Frame::TaskStopVerification(agent::TaskStopVerificationMessage {
            message_id: marker,
            stop_candidates: vec![],
        }))
        .await;
        loop {
            match rig.next().await {
                Some(Frame::Payload(payload)) => model.inbox.push_back(payload),
                Some(Frame::TaskStopVerificationAck(_)) => break,
                other => panic!("{other:?}"),
            }
        }
    }
}

async fn apply(rig: &mut Rig, model: &mut Model, step: Step) {
    let stored = |rig: &Rig, number| rig.store.view().task(key(1, number));
    match step {
        Step::Start(number) if stored(rig, number).is_none() => rig.put([task(1, number)]).await,
        Step::Stop(number) => {
            if let Some(task) = stored(rig, number) {
                let last = task.last_status;
                rig.put([with(task, DesiredStatus::Stopped, last)]).await;
            }
        }
        Step::Report(number) => match (stored(rig, number), model.knows.get(&task_arn(number))) {
            (Some(task), Some(agent::DesiredStatus::Running)) if task.last_status == TaskStatus::Pending => {
                let wanted = task.desired_status;
                rig.put([with(task, wanted, TaskStatus::Running)]).await;
            }
            (Some(task), Some(agent::DesiredStatus::Stopped)) => {
                rig.put([with(task, DesiredStatus::Stopped, TaskStatus::Stopped)]).await;
            }
            _ => {}
        },
        Step::Take => {
            if let Some(id) = model.take() {
                rig.ack(&id).await;
            }
        }
        Step::TakeSilently => {
            let id = model.take();
            model.late.extend(id);
        }
        Step::Lose => drop(model.inbox.pop_front()),
        Step::Wait => advance(Duration::from_secs(60)).await,
        Step::Start(_) => {}
    }
    listen(rig, model).await;
}

async fn history(steps: Vec<Step>) {
    let mut rig = Rig::start([]).await;
    rig.manifest().await;
    let mut model = Model::default();
    for step in steps {
        apply(&mut rig, &mut model, step).await;
    }
    for id in std::mem::take(&mut model.late) {
        rig.ack(&id).await;
    }
    // From here on nothing is lost; two deadlines later, what was lost has been sent again.
    for _ in 0..3 {
        listen(&mut rig, &mut model).await;
        while let Some(id) = model.take() {
            rig.ack(&id).await;
        }
        advance(Duration::from_secs(60)).await;
    }
    rig.is_quiet().await;
    let view = rig.store.view();
    for number in 1..=TASKS {
        let Some(task) = view.task(key(1, number)).filter(|task| task.last_status != TaskStatus::Stopped) else {
            continue;
        };
        let known = model.knows.get(&task_arn(number)).map(|known| desired(*known));
        assert_eq!(known, Some(task.desired_status.as_str()), "task {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_node_finally_knows_what_is_wanted(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(history(steps));
    }
}
