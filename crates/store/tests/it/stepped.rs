//! The writer one step at a time: whatever the interleaving and whichever commits fail, what callers are told is what
//! running the updates one after another would tell them, and everything acknowledged is there.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use longshore_domain::task_definition::record::FamilyRecord;
use longshore_store::backend::memory::Memory;
use longshore_store::backend::{Batch, Durable};
use longshore_store::watch::Interest;
use longshore_store::{Kind, Record, State, Steps, Store, StoreError, Tx, UpdateError, Write};
use proptest::prelude::*;
use serde::Serialize;

use crate::samples;

/// How the next commit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Disk {
    Works,
    /// Nothing is written, and it says so.
    Fails,
    /// It is written, but reported as failed.
    Lies,
    /// Nothing is written, and the disk cannot even be asked what it holds.
    Silent,
    /// It is written, reported as failed, and the disk cannot be asked.
    SilentlyWrites,
}

const DISKS: [Disk; 5] = [Disk::Works, Disk::Fails, Disk::Lies, Disk::Silent, Disk::SilentlyWrites];

#[derive(Clone, Default)]
struct Faulty {
    rows: Memory,
    disk: Arc<AtomicU8>,
    commits: Arc<Mutex<Vec<usize>>>,
}

impl Faulty {
    fn set(&self, disk: Disk) {
        self.disk.store(disk as u8, Ordering::SeqCst);
    }

    fn disk(&self) -> Disk {
        DISKS[usize::from(self.disk.load(Ordering::SeqCst))]
    }
}

impl Durable for Faulty {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        self.rows.load(insert)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let disk = self.disk();
        if matches!(disk, Disk::Works | Disk::Lies | Disk::SilentlyWrites) {
            self.rows.commit(batch)?;
            self.commits.lock().unwrap().push(batch.rows.len());
        }
        if disk == Disk::Works { Ok(()) } else { Err(StoreError::Commit(format!("{disk:?}"))) }
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        match self.disk() {
            Disk::Silent | Disk::SilentlyWrites => Err(StoreError::Commit("no answer".into())),
            _ => self.rows.version(),
        }
    }
}

/// What an update does. Every one reads how many families there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Do {
    Put(u8),
    Delete(u8),
    PutAndRefuse(u8),
    PutAndPanic(u8),
    Count,
    Refuse,
}

type Seen = Result<(u64, u32), u32>;
type Outcome = Result<(u64, u32), UpdateError<u32>>;

fn decide(tx: &mut Tx<'_>, write: &Write<Do>) -> Seen {
    let count = u32::try_from(tx.state().families(&samples::scope(), "").count()).unwrap();
    let family = |number: u8| FamilyRecord {
        scope: samples::scope(),
        family: format!("f{}", number % 8).as_str().into(),
        last_revision: count,
    };
    match write.input {
        Do::Put(number) => tx.put(family(number)),
        Do::Delete(number) => tx.delete(family(number)),
        Do::PutAndRefuse(number) => {
            tx.put(family(number));
            return Err(count);
        }
        Do::PutAndPanic(number) => {
            tx.put(family(number));
            panic!("on purpose");
        }
        Do::Count => return Ok((0, count)),
        Do::Refuse => return Err(count),
    }
    Ok((tx.version(), count))
}

/// An update under way, polled without a runtime.
struct Caller {
    update: Pin<Box<dyn Future<Output = Outcome>>>,
    outcome: Option<Outcome>,
}

impl Caller {
    fn begin(store: &Store, what: Do) -> Self {
        let store = store.clone();
        let update = Box::pin(async move { store.update(samples::write(what), decide).await });
        let mut caller = Self { update, outcome: None };
        caller.poll();
        caller
    }

    fn poll(&mut self) -> Option<&Outcome> {
        if self.outcome.is_none()
            && let Poll::Ready(outcome) = self.update.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            self.outcome = Some(outcome);
        }
        self.outcome.as_ref()
    }
}

fn families(state: &State) -> Vec<(String, u32)> {
    let scope = samples::scope();
    state.families(&scope, "").map(|family| (family.family.to_string(), family.last_revision)).collect()
}

fn finish(steps: &mut Steps) {
    while steps.decide() || steps.commit() {}
}

fn stepped(backend: &Faulty) -> (Store, Steps) {
    Store::stepped(Box::new(backend.clone())).unwrap()
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Call(Do),
    Decide,
    Commit,
    Set(Disk),
    KeepHouse,
}

fn step() -> impl Strategy<Value = Step> {
    let call = prop_oneof![
        6 => any::<u8>().prop_map(Do::Put),
        2 => any::<u8>().prop_map(Do::Delete),
        1 => any::<u8>().prop_map(Do::PutAndRefuse),
        1 => any::<u8>().prop_map(Do::PutAndPanic),
        2 => Just(Do::Count),
        1 => Just(Do::Refuse),
    ];
    prop_oneof![
        8 => call.prop_map(Step::Call),
        4 => Just(Step::Decide),
        4 => Just(Step::Commit),
        2 => (0..DISKS.len()).prop_map(|disk| Step::Set(DISKS[disk])),
        1 => Just(Step::Set(Disk::Works)),
        1 => Just(Step::KeepHouse),
    ]
}

/// What the same updates come to one after another.
fn one_after_another(updates: impl Iterator<Item = Do>) -> (Vec<Outcome>, Vec<(String, u32)>) {
    let (store, mut steps) = stepped(&Faulty::default());
    let outcomes = updates.map(|update| {
        let mut caller = Caller::begin(&store, update);
        finish(&mut steps);
        caller.poll().cloned().unwrap()
    });
    (outcomes.collect(), families(&store.view()))
}

fn is_fault(outcome: &Outcome) -> bool {
    matches!(outcome, Err(UpdateError::Store(fault)) if !matches!(fault, StoreError::Panicked(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn every_interleaving_tells_what_one_after_another_would(script in prop::collection::vec(step(), 1..60)) {
        let backend = Faulty::default();
        let (store, mut steps) = stepped(&backend);
        let (mut calls, mut written_unknown) = (Vec::new(), false);
        for step in script {
            match step {
                Step::Call(what) => calls.push((what, Caller::begin(&store, what))),
                Step::Decide => { steps.decide(); }
                Step::Commit => {
                    let before = backend.commits.lock().unwrap().len();
                    steps.commit();
                    let wrote = backend.commits.lock().unwrap().len() > before;
                    written_unknown |= wrote && backend.disk() == Disk::SilentlyWrites;
                }
                Step::Set(disk) => backend.set(disk),
                Step::KeepHouse => steps.keep_house(),
            }
            // Nothing is visible that a crash now would take back.
            let visible = families(&store.view());
            let durable = families(&Store::stepped(Box::new(backend.rows.clone())).unwrap().0.view());
            prop_assert!(visible == durable || written_unknown, "{visible:?} {durable:?}");
        }
        backend.set(Disk::Works);
        finish(&mut steps);
        let told: Vec<(Do, Outcome)> =
            calls.iter_mut().map(|(what, caller)| (*what, caller.poll().expect("an answer").clone())).collect();
        // The clearing up of doubt may come with the next write or look.
        steps.keep_house();
        let durable = families(&Store::stepped(Box::new(backend.rows.clone())).unwrap().0.view());
        prop_assert_eq!(families(&store.view()), durable.clone());
        if !written_unknown {
            let kept = || told.iter().filter(|(_, outcome)| !is_fault(outcome));
            let (outcomes, left) = one_after_another(kept().map(|(what, _)| *what));
            prop_assert_eq!(kept().map(|(_, outcome)| outcome.clone()).collect::<Vec<_>>(), outcomes);
            prop_assert_eq!(durable, left);
        }
    }
}

#[test]
fn a_failed_commit_fails_what_was_decided_on_it_and_nothing_else() {
    let backend = Faulty::default();
    let (store, mut steps) = stepped(&backend);
    let mut first = Caller::begin(&store, Do::Put(1));
    assert!(steps.decide());
    // They have seen the first one: no change and refusal are answers like any other.
    let mut built: Vec<_> = [Do::Put(2), Do::Count, Do::Refuse].map(|what| Caller::begin(&store, what)).into();
    assert!(steps.decide());
    backend.set(Disk::Fails);
    assert!(steps.commit());
    assert!(is_fault(first.poll().unwrap()));
    assert!(built.iter_mut().all(|caller| caller.poll().is_none()));
    backend.set(Disk::Works);
    // Decided after the failure, and before those were told.
    let mut after = Caller::begin(&store, Do::Put(3));
    assert!(steps.decide());
    assert!(steps.commit());
    assert!(built.iter_mut().all(|caller| is_fault(caller.poll().unwrap())));
    finish(&mut steps);
    assert_eq!(after.poll(), Some(&Ok((1, 0))));
    assert_eq!(families(&store.view()), [("f3".into(), 0)]);
}

#[test]
fn the_next_batch_is_decided_while_one_is_not_durable_and_shares_a_commit() {
    let backend = Faulty::default();
    let (store, mut steps) = stepped(&backend);
    assert!(!steps.decide() && !steps.commit());
    let mut callers = vec![Caller::begin(&store, Do::Put(0))];
    steps.decide();
    for number in 1..4 {
        callers.push(Caller::begin(&store, Do::Put(number)));
        steps.decide();
    }
    assert!(store.view().families(&samples::scope(), "").next().is_none());
    finish(&mut steps);
    for (number, caller) in (0..).zip(&mut callers) {
        assert_eq!(caller.poll(), Some(&Ok((u64::from(number) + 1, number))));
    }
    assert_eq!(*backend.commits.lock().unwrap(), [1, 3]);
}

/// Another process writes: what it left is taken over, by the next commit or by a look.
#[test]
fn what_another_process_wrote_is_taken_over_and_every_watcher_starts_again() {
    for by_look in [true, false] {
        let backend = Faulty::default();
        let (store, mut steps) = stepped(&backend);
        let _first = Caller::begin(&store, Do::Put(1));
        finish(&mut steps);
        let mut watch = store.watch_from(0, Interest::Kind(Kind::Family)).unwrap();
        assert!(watch.try_next().is_some());
        let (other, mut others) = stepped(&backend);
        let _second = Caller::begin(&other, Do::Put(2));
        finish(&mut others);
        if by_look {
            steps.keep_house();
        } else {
            let mut lost = Caller::begin(&store, Do::Put(3));
            finish(&mut steps);
            assert!(is_fault(lost.poll().unwrap()));
        }
        assert_eq!(families(&store.view()), [("f1".into(), 0), ("f2".into(), 1)]);
        let mut next = std::pin::pin!(watch.next());
        let ended = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(ended, Poll::Ready(Err(_))), "{ended:?}");
        assert!(store.watch_from(1, Interest::Kind(Kind::Family)).is_err());
        let mut watch = store.watch_from(store.view().version(), Interest::Kind(Kind::Family)).unwrap();
        let mut third = Caller::begin(&store, Do::Put(3));
        finish(&mut steps);
        assert_eq!(third.poll(), Some(&Ok((3, 2))));
        assert!(watch.try_next().is_some());
    }
}

#[test]
fn closing_answers_what_waits_and_a_crash_tells_that_it_is_closed() {
    let (store, mut steps) = stepped(&Faulty::default());
    let mut waiting = Caller::begin(&store, Do::Put(1));
    let mut close = std::pin::pin!(store.close());
    let context = &mut Context::from_waker(Waker::noop());
    assert!(close.as_mut().poll(context).is_pending());
    finish(&mut steps);
    assert_eq!(waiting.poll(), Some(&Ok((1, 0))));
    assert_eq!(close.as_mut().poll(context), Poll::Ready(Ok(())));
    let closed = Err(UpdateError::Store(StoreError::Closed));
    assert_eq!(Caller::begin(&store, Do::Put(2)).poll(), Some(&closed));

    let (store, mut steps) = stepped(&Faulty::default());
    let mut lost = [Caller::begin(&store, Do::Put(1)), Caller::begin(&store, Do::Put(2))];
    steps.decide();
    lost[1].poll();
    drop(steps);
    assert!(lost.iter_mut().all(|caller| caller.poll() == Some(&closed)));
    assert_eq!(Caller::begin(&store, Do::Put(2)).poll(), Some(&closed));
}
