//! Old incarnations of clusters, and deleted task definitions.

use longshore_domain::EcsId;
use longshore_domain::cluster::ClusterStatus::{Active, Inactive};
use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::task_definition::TaskDefinitionStatus;
use longshore_domain::task_definition::record::FamilyRecord;
use longshore_store::backend::memory::Memory;
use longshore_store::{Record, State, Store};

use super::task_tests::reaper;
use super::{Due, Retire, retire};
use crate::driver::Controller;
use crate::testing::{START, client_token, cluster, definition, hours, memory_store, put, scope, task, write};

fn incarnations(state: &State) -> Vec<u64> {
    state.all_clusters().map(|cluster| cluster.record.incarnation).collect()
}

fn instance(cluster: u64, id: u8) -> Record {
    ContainerInstanceRecord {
        id: EcsId([id; 16]),
        cluster,
        node: EcsId([9; 16]),
        status: ContainerInstanceStatus::Inactive,
        registered_at: START,
        version: 1,
        builtin: true,
        attributes: vec![],
        tags: vec![],
        registered_by: "test".into(),
    }
    .into()
}

#[tokio::test]
async fn only_incarnations_that_nothing_can_name_go() {
    let store = memory_store();
    put(
        &store,
        [
            cluster(1, "again", Inactive).into(),
            cluster(2, "again", Inactive).into(),
            cluster(3, "again", Active).into(),
            cluster(4, "deleted", Inactive).into(),
            cluster(5, "kept", Active).into(),
        ],
    )
    .await;
    reaper(&store, START).reconcile().await.unwrap();
    assert_eq!(incarnations(&store.view()), [3, 4, 5]);
    assert_eq!(store.view().cluster(&scope(), "again").unwrap().record.incarnation, 3);
    assert_eq!(store.view().cluster(&scope(), "deleted").unwrap().record.incarnation, 4);
}

#[tokio::test]
async fn an_incarnation_waits_for_its_tasks_and_leaves_no_row_behind() {
    let rows = Memory::default();
    let store = Store::on(Box::new(rows.clone())).unwrap();
    put(&store, [cluster(1, "c", Inactive).into(), cluster(2, "c", Active).into()]).await;
    put(&store, (0..60).map(|id| instance(1, id))).await;
    put(&store, (0..60).map(|n| client_token(1, &format!("{n}"), START, &[]).into())).await;
    put(&store, [task(1, 1, Some(START)).into(), instance(2, 1), client_token(2, "t", hours(1), &[]).into()]).await;
    reaper(&store, hours(1).plus_millis(-1)).reconcile().await.unwrap();
    assert_eq!(incarnations(&store.view()), [1, 2]);
    assert_eq!(store.view().cluster_by_incarnation(1).unwrap().container_instances.len(), 60);
    reaper(&store, hours(1)).reconcile().await.unwrap();
    assert_eq!(incarnations(&store.view()), [2]);
    drop(store);
    let mut left = Vec::new();
    longshore_store::backend::Durable::load(&mut rows.clone(), &mut |record| left.push(record.key())).unwrap();
    let other = format!("2/{}", EcsId([1; 16]));
    assert_eq!(left, ["000000000000/us-east-1/c/2".to_owned(), other, "2/t".to_owned()]);
}

#[tokio::test]
async fn a_cluster_is_judged_again_in_the_transaction() {
    let store = memory_store();
    put(&store, [cluster(1, "c", Inactive).into(), cluster(2, "c", Active).into(), instance(1, 1)]).await;
    put(&store, [cluster(3, "d", Inactive).into()]).await;
    let found = vec![Due::Cluster(1), Due::Cluster(2), Due::Cluster(3), Due::ContainerInstance(2, EcsId([1; 16]))];
    let input = Retire { retention_millis: 0, found };
    assert_eq!(store.update(write(START, input), retire::decide).await, Ok(0), "the first still has an instance");
    let input = Retire { retention_millis: 0, found: vec![Due::ContainerInstance(1, EcsId([1; 16])), Due::Cluster(1)] };
    assert_eq!(store.update(write(START, input), retire::decide).await, Ok(2));
    assert_eq!(incarnations(&store.view()), [2, 3]);
}

#[tokio::test]
async fn a_deleted_definition_goes_with_the_last_task_that_has_it() {
    let store = memory_store();
    put(
        &store,
        [
            cluster(1, "c", Active).into(),
            FamilyRecord { scope: scope(), family: "web".into(), last_revision: 4 }.into(),
            definition(1, TaskDefinitionStatus::DeleteInProgress).into(),
            definition(2, TaskDefinitionStatus::DeleteInProgress).into(),
            definition(3, TaskDefinitionStatus::Inactive).into(),
            definition(4, TaskDefinitionStatus::Active).into(),
            task(1, 1, Some(START)).into(),
        ],
    )
    .await;
    let revisions = || store.view().revisions(&scope(), "web").map(|record| record.revision).collect::<Vec<_>>();
    reaper(&store, START).reconcile().await.unwrap();
    assert_eq!(revisions(), [1, 3, 4]);
    reaper(&store, hours(1)).reconcile().await.unwrap();
    assert_eq!(revisions(), [3, 4]);
    assert_eq!(store.view().family(&scope(), "web").unwrap().last_revision, 4);
}

#[tokio::test]
async fn a_definition_is_judged_again_in_the_transaction() {
    let store = memory_store();
    put(
        &store,
        [
            cluster(1, "c", Active).into(),
            definition(1, TaskDefinitionStatus::DeleteInProgress).into(),
            definition(2, TaskDefinitionStatus::Inactive).into(),
            definition(3, TaskDefinitionStatus::DeleteInProgress).into(),
            task(1, 1, None).into(),
        ],
    )
    .await;
    let found = (1..=4).map(|revision| Due::TaskDefinition(scope(), "web".into(), revision)).collect();
    let input = Retire { retention_millis: 0, found };
    assert_eq!(store.update(write(START, input), retire::decide).await, Ok(1));
    let left: Vec<_> = store.view().revisions(&scope(), "web").map(|record| record.revision).collect();
    assert_eq!(left, [1, 2]);
}
