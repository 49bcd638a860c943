//! Placement never puts more on a machine than it has, whatever is run, stopped and reported, and uses what it has.
//!
//! The oracle counts for itself: what each task takes is written in its definition's name.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::json;

use crate::harness::{World, world};
use crate::task_world::{NODE, arns, ask, fargate, machine, network, reasons, stopped};

const CPU: u64 = 2048;
const MEMORY: u64 = 3000;

/// Name, CPU units, MiB, fixed TCP port. FARGATE has the last one.
const DEFINITIONS: [(&str, u64, u64, Option<u64>); 5] = [
    ("small", 10, 20, None),
    ("cpu", 700, 8, None),
    ("memory", 0, 900, None),
    ("port", 5, 10, Some(8080)),
    ("far", 256, 512, None),
];

const CLUSTERS: [&str; 2] = ["default", "other"];

#[derive(Debug, Clone)]
enum Step {
    Run { definition: usize, count: u64, cluster: usize },
    Stop { which: prop::sample::Index },
    Stopped { which: prop::sample::Index },
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => (0..DEFINITIONS.len(), 1..=10_u64, 0..CLUSTERS.len())
            .prop_map(|(definition, count, cluster)| Step::Run { definition, count, cluster }),
        1 => index().prop_map(|which| Step::Stop { which }),
        2 => index().prop_map(|which| Step::Stopped { which }),
    ]
}

async fn prepared() -> World {
    let world = world().await;
    world.put(vec![machine(NODE, CPU, MEMORY).into()]).await;
    for (name, cpu, memory, port) in &DEFINITIONS[..4] {
        let ports: Vec<_> = port.iter().map(|port| json!({"containerPort": 80, "hostPort": port})).collect();
        let container = json!({"name": "a", "image": "i", "cpu": cpu, "memory": memory, "portMappings": ports});
        ask(&world, "RegisterTaskDefinition", json!({"family": name, "containerDefinitions": [container]})).await;
    }
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    ask(&world, "CreateCluster", json!({"clusterName": "other"})).await;
    world
}

/// Which tasks are on the machine, and what each takes.
#[derive(Default)]
struct Machine(BTreeMap<String, usize>);

impl Machine {
    fn fits(&self, definition: usize) -> bool {
        let all = || self.0.values().chain([&definition]).map(|definition| DEFINITIONS[*definition]);
        let ports: Vec<u64> = all().filter_map(|definition| definition.3).collect();
        all().map(|definition| definition.1).sum::<u64>() <= CPU
            && all().map(|definition| definition.2).sum::<u64>() <= MEMORY
            && ports.len() == ports.iter().collect::<BTreeSet<_>>().len()
    }
}

async fn walk(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let world = prepared().await;
    let mut machine = Machine::default();
    for step in steps {
        let pick = |which: prop::sample::Index, machine: &Machine| {
            let arns: Vec<String> = machine.0.keys().cloned().collect();
            (!arns.is_empty()).then(|| arns[which.index(arns.len())].clone())
        };
        match step {
            Step::Run { definition, count, cluster } => {
                let (family, ..) = DEFINITIONS[definition];
                let mut body = json!({"taskDefinition": family, "count": count, "cluster": CLUSTERS[cluster]});
                if family == "far" {
                    body["launchType"] = json!("FARGATE");
                    body["networkConfiguration"] = network();
                }
                let answer = ask(&world, "RunTask", body).await;
                let (started, failed) = (arns(&answer), reasons(&answer).len());
                prop_assert_eq!(started.len() + failed, usize::try_from(count).unwrap());
                for arn in started {
                    prop_assert!(machine.fits(definition), "over-placed: {} beside {:?}", family, machine.0);
                    prop_assert!(machine.0.insert(arn, definition).is_none());
                }
                prop_assert!(failed == 0 || !machine.fits(definition), "{} would fit beside {:?}", family, machine.0);
            }
            Step::Stop { which } => {
                if let Some(arn) = pick(which, &machine) {
                    let cluster = arn.split('/').nth(1).unwrap();
                    ask(&world, "StopTask", json!({"cluster": cluster, "task": arn})).await;
                }
            }
            Step::Stopped { which } => {
                if let Some(arn) = pick(which, &machine) {
                    stopped(&world, &arn).await;
                    stopped(&world, &arn).await;
                    machine.0.remove(&arn);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_machine_is_never_over_placed_nor_left_idle(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(walk(steps))?;
    }
}
