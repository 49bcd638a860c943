//! What an update promises: alone, bounded, undone when it fails, watched without gap.

use longshore_store::watch::Interest;
use longshore_store::{Backend, Kind, Options, Store, StoreError, Tx, UpdateError, Write};

use crate::samples;

fn store() -> Store {
    Store::open(Options::new(Backend::Memory)).unwrap()
}

fn families(store: &Store) -> Vec<String> {
    store.view().families(&samples::scope(), "").map(|family| family.family.to_string()).collect()
}

fn family(name: &str) -> longshore_domain::task_definition::record::FamilyRecord {
    longshore_domain::task_definition::record::FamilyRecord {
        scope: samples::scope(),
        family: name.into(),
        last_revision: 1,
    }
}

fn put(tx: &mut Tx<'_>, write: &Write<&'static str>) -> Result<u64, ()> {
    tx.put(family(write.input));
    Ok(tx.version())
}

fn put_and_refuse(tx: &mut Tx<'_>, write: &Write<&'static str>) -> Result<(), &'static str> {
    tx.put(family(write.input));
    Err("no")
}

fn put_and_panic(tx: &mut Tx<'_>, write: &Write<&'static str>) -> Result<(), ()> {
    tx.put(family(write.input));
    panic!("on purpose");
}

fn put_many(tx: &mut Tx<'_>, write: &Write<usize>) -> Result<(), ()> {
    for number in 0..write.input {
        tx.put(family(&format!("f{number}")));
    }
    Ok(())
}

fn put_large(tx: &mut Tx<'_>, write: &Write<usize>) -> Result<(), ()> {
    tx.put(family(&"f".repeat(write.input)));
    Ok(())
}

#[tokio::test]
async fn a_refused_and_a_panicked_update_are_undone_alone() {
    let store = store();
    assert_eq!(store.update(samples::write("a"), put).await, Ok(1));
    assert_eq!(store.update(samples::write("b"), put_and_refuse).await, Err(UpdateError::Refused("no")));
    let panicked = store.update(samples::write("c"), put_and_panic).await;
    assert_eq!(panicked, Err(UpdateError::Store(StoreError::Panicked("on purpose".into()))));
    assert_eq!(store.update(samples::write("d"), put).await, Ok(2));
    assert_eq!(families(&store), ["a", "d"]);
}

#[tokio::test]
async fn an_update_is_bounded() {
    let store = store();
    assert_eq!(store.update(samples::write(100), put_many).await, Ok(()));
    let bound =
        |outcome: Result<(), UpdateError<()>>| matches!(outcome, Err(UpdateError::Store(StoreError::Bound { .. })));
    assert!(bound(store.update(samples::write(101), put_many).await));
    assert!(bound(store.update(samples::write(600 << 10), put_large).await));
    assert_eq!(families(&store).len(), 100);
}

#[tokio::test]
async fn a_snapshot_never_changes() {
    let store = store();
    store.update(samples::write("a"), put).await.unwrap();
    let before = store.view();
    store.update(samples::write("b"), put).await.unwrap();
    assert_eq!(before.families(&samples::scope(), "").count(), 1);
    assert_eq!(store.view().families(&samples::scope(), "").count(), 2);
}

#[tokio::test]
async fn a_watch_follows_from_a_version() {
    let store = store();
    let version = store.update(samples::write("a"), put).await.unwrap();
    store.update(samples::write("b"), put).await.unwrap();
    let mut watch = store.watch_from(version, Interest::Kind(Kind::Family)).unwrap();
    store.update(samples::write("c"), put).await.unwrap();
    for key in ["b", "c"] {
        let change = watch.next().await.unwrap();
        assert_eq!(change.key, format!("000000000000/us-east-1/{key}"));
        assert_eq!(change.scope, Some(samples::scope()));
        assert!(!change.deleted);
    }
    assert!(watch.try_next().is_none());
}

#[tokio::test]
async fn two_scopes_never_see_each_other() {
    let store = store();
    store.update(samples::write("a"), put).await.unwrap();
    let other = longshore_domain::Scope::new("000000000000", "us-east-2");
    assert_eq!(store.view().families(&other, "").count(), 0);
    assert!(store.view().family(&other, "a").is_none());
}

#[tokio::test]
async fn every_scope_has_a_virtual_default_that_reads_do_not_create() {
    let store = store();
    let cluster = store.view().cluster(&samples::scope(), "default").unwrap();
    assert!(cluster.is_active());
    assert_eq!(cluster.record.incarnation, 0);
    assert!(store.view().cluster(&samples::scope(), "other").is_none());
    assert_eq!(store.view().clusters(&samples::scope(), None).count(), 0);
}
