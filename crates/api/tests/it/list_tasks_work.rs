//! What a page of ListTasks touches, on fleets made to hurt: bounded by constants, and whole even where a page ends early.

use std::collections::BTreeSet;

use bytes::Bytes;
use longshore_domain::EcsId;
use longshore_domain::cluster::ClusterRecord;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_store::index::Work;
use longshore_store::{Dimension, TaskFilter, TaskTable};
use serde_json::{Value, json};

use crate::harness::{World, id, world};
use crate::records::task;

const CLUSTER: u64 = 1001;
/// Positions that one leaf of an index holds.
const LEAF: u64 = 8192;
/// A page looks at its limit between leaves, so that it may exceed it by what one leaf of each of two sets costs.
const SLACK: u64 = 2 * (32 + 2 * 256);

/// Two halves that share no position: the even tasks are of family `a` on EC2, the odd ones of `b` on FARGATE; the few
/// that `is_both` names are of `a` on FARGATE.
async fn halves(sequences: impl Iterator<Item = u64>, is_both: fn(u64) -> bool) -> World {
    let world = world().await;
    let now = world.api.now();
    world.put(vec![ClusterRecord::new(world.caller.scope.clone(), "default", CLUSTER, now).into()]).await;
    let mut records = Vec::new();
    for sequence in sequences {
        let even = sequence % 2 == 0;
        let launch_type = if even && !is_both(sequence) { LaunchType::Ec2 } else { LaunchType::Fargate };
        records.push(TaskRecord {
            family: if even { "a".into() } else { "b".into() },
            resources: longshore_domain::Resources::default(),
            ..task(CLUSTER, sequence, launch_type, TaskStatus::Running)
        });
        if records.len() == 100 {
            world.put(records.drain(..).map(Into::into).collect()).await;
        }
    }
    world.put(records.into_iter().map(Into::into).collect()).await;
    world
}

fn filter(dimensions: &[Dimension]) -> TaskFilter {
    TaskFilter { desired_status: DesiredStatus::Running, dimensions: dimensions.to_vec() }
}

fn a_on_fargate() -> TaskFilter {
    filter(&[Dimension::Family("a".into()), Dimension::LaunchType(LaunchType::Fargate)])
}

/// The ids of a whole traversal, the number of its pages, and the most that one of them cost.
fn traverse(tasks: &TaskTable, filter: &TaskFilter, limit: usize, bound: Option<u64>) -> (Vec<EcsId>, usize, u64) {
    let (mut found, mut pages, mut most, mut after) = (Vec::new(), 0, 0, None);
    loop {
        let mut work = bound.map_or_else(Work::new, Work::limited);
        let page = tasks.page(filter, after, limit, &mut work);
        assert!(page.ids.len() <= limit);
        found.extend(page.ids);
        pages += 1;
        most = most.max(work.cost());
        if !page.more {
            return (found, pages, most);
        }
        assert!(page.cursor > after, "a traversal that stands still");
        after = page.cursor;
    }
}

fn ids(sequences: impl Iterator<Item = u64>) -> Vec<EcsId> {
    sequences.map(|sequence| id(1000 + sequence)).collect()
}

#[tokio::test]
async fn two_interleaved_halves_cost_a_constant() {
    const TASKS: u64 = 40_000;
    let world = halves(1..=TASKS, |_| false).await;
    let state = world.api.view();
    let tasks = &state.cluster(&world.caller.scope, "default").unwrap().tasks;
    let everything = filter(&[]);
    let (a, fargate) = (Dimension::Family("a".into()), Dimension::LaunchType(LaunchType::Fargate));
    // Nothing in common: each leaf of both halves is read once, in one page.
    assert!(tasks.page(&a_on_fargate(), None, 100, &mut Work::limited(Work::PAGE_LIMIT)).ids.is_empty());
    for (filter, wanted) in [
        (a_on_fargate(), ids(std::iter::empty())),
        (filter(&[a]), ids((1..=TASKS).filter(|sequence| sequence % 2 == 0))),
        (filter(&[fargate]), ids((1..=TASKS).filter(|sequence| sequence % 2 == 1))),
        (everything, ids(1..=TASKS)),
    ] {
        let (found, _, most) = traverse(tasks, &filter, 100, Some(Work::PAGE_LIMIT));
        assert!(found == wanted, "{filter:?}: {} of {}", found.len(), wanted.len());
        assert!(most <= 2000, "{filter:?}: a page cost {most}");
        // However early pages end, each task is there once.
        let (found, pages, most) = traverse(tasks, &filter, 100, Some(1));
        assert!(found == wanted && pages > 4, "{filter:?}: {} in {pages} pages", found.len());
        assert!(most <= SLACK, "{filter:?}: a page of one leaf cost {most}");
    }
}

#[tokio::test]
async fn a_page_that_ends_early_has_a_token_that_goes_on() {
    const LEAVES: u64 = 4000;
    // In each leaf an even and an odd task, and nothing in common but every thousandth leaf.
    let both = |sequence: u64| sequence.is_multiple_of(1000 * LEAF);
    let world = halves((1..=LEAVES).flat_map(|leaf| [leaf * LEAF, leaf * LEAF + 1]), both).await;
    let state = world.api.view();
    let tasks = &state.cluster(&world.caller.scope, "default").unwrap().tasks;
    let wanted = ids((1..=LEAVES).map(|leaf| leaf * LEAF).filter(|sequence| both(*sequence)));
    let (found, pages, most) = traverse(tasks, &a_on_fargate(), 100, Some(Work::PAGE_LIMIT));
    assert_eq!(found, wanted);
    assert!(pages > 1 && most <= Work::PAGE_LIMIT + SLACK, "{pages} pages, one of which cost {most}");

    let mut body = json!({"family": "a", "launchType": "FARGATE"});
    let (mut arns, mut short) = (Vec::new(), 0);
    loop {
        let answer = world.api.call(&world.caller, Some("ListTasks"), Bytes::from(body.to_string())).await;
        let page: Value = serde_json::from_slice(&answer.body).unwrap();
        arns.extend(page["taskArns"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap().to_owned()));
        let Some(token) = page["nextToken"].as_str() else { break };
        short += 1;
        body["nextToken"] = json!(token);
    }
    assert!(short >= 1, "no page ended early");
    assert_eq!(arns.len(), wanted.len());
    let ends: BTreeSet<&str> = arns.iter().map(|arn| arn.rsplit('/').next().unwrap()).collect();
    assert_eq!(ends, wanted.iter().map(ToString::to_string).collect::<Vec<_>>().iter().map(String::as_str).collect());
}
