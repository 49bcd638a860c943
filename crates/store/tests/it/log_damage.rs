//! Damage to the write-ahead log: whatever stands behind the last synced commit is of no account, and what is missing
//! before it is noticed.

use longshore_store::StoreError;
use longshore_store::backend::Durable;

use crate::on_disk::{Image, Loaded, Random, batch, empty, load_from};

const HEADER: usize = 32;

/// A store whose log holds several commits, the last of them large: what a crash right before the last would leave,
/// what is true then; the same after it.
struct Logged {
    before: Image,
    held: Loaded,
    after: Image,
    next: Loaded,
}

fn logged() -> Logged {
    let (_directory, file, mut backend) = empty();
    for previous in 0..5 {
        let start = previous * 40 + 1;
        backend.commit(&batch(previous, start..start + 40, (start..start + 10).filter(|_| previous == 3))).unwrap();
    }
    let (before, held) = (Image::of(&file), load_from(&mut backend).unwrap());
    backend.commit(&batch(5, 100..400, 1..60)).unwrap();
    let (after, next) = (Image::of(&file), load_from(&mut backend).unwrap());
    assert!(before.file == after.file && before.log.len() < after.log.len(), "nothing was brought into the file yet");
    Logged { before, held, after, next }
}

/// Bytes of a frame, by the page size in the log's header.
fn frame(log: &[u8]) -> usize {
    24 + u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize
}

#[test]
fn a_log_cut_behind_the_last_synced_commit_loses_nothing() {
    let Logged { before, held, after, .. } = logged();
    let (synced, frame) = (before.log.len(), frame(&after.log));
    assert_eq!((after.log.len() - HEADER) % frame, 0);
    let boundaries = (synced..after.log.len()).step_by(frame);
    let within = (synced + 1..after.log.len()).step_by(frame / 3);
    for length in boundaries.chain(within).chain([after.log.len() - 1]) {
        let cut = Image { log: after.log[..length].to_vec(), ..before.clone() };
        assert!(cut.load() == Ok(held.clone()), "cut at {length} of {}", after.log.len());
    }
}

#[test]
fn garbage_behind_the_last_synced_commit_loses_nothing() {
    let Logged { before, held, after, next } = logged();
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut appended = before.clone();
        appended.log.extend((0..random.below(30_000)).map(|_| random.next() as u8));
        assert!(appended.load() == Ok(held.clone()), "seed {seed}: garbage was appended");
        let mut garbled = Image { witness: before.witness.clone(), ..after.clone() };
        random.garble(&mut garbled.log, before.log.len());
        let loaded = garbled.load();
        // A frame's own checksum does not cover all of a header.
        assert!(loaded == Ok(held.clone()) || loaded == Ok(next.clone()), "seed {seed}: the last commit was garbled");
    }
}

#[test]
fn a_log_cut_before_the_last_synced_commit_is_refused() {
    let Logged { after, next, .. } = logged();
    assert!(after.load() == Ok(next));
    let frame = frame(&after.log);
    for length in (0..after.log.len()).step_by(frame) {
        let cut = Image { log: after.log[..length].to_vec(), ..after.clone() };
        let error = cut.load().expect_err("something acknowledged is missing");
        assert!(matches!(error, StoreError::Behind { seen: 6, .. } | StoreError::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn a_log_garbled_before_the_last_synced_commit_is_refused_or_harmless() {
    let Logged { after, next, .. } = logged();
    for seed in 0..60 {
        let mut garbled = after.clone();
        Random(seed).garble(&mut garbled.log, 0);
        if let Ok(loaded) = garbled.load() {
            assert!(loaded == next, "seed {seed}: loaded, but not what was committed");
        }
    }
}

#[test]
fn an_older_copy_is_refused_until_its_loss_is_accepted() {
    let Logged { before, held, after, .. } = logged();
    let older = Image { witness: after.witness, ..before };
    let error = older.load().unwrap_err();
    assert!(matches!(error, StoreError::Behind { found: 5, seen: 6, .. }), "{error}");
    assert!(error.to_string().contains("-wal file is missing"), "{error}");
    let accepted = Image { witness: vec![], ..older };
    assert!(accepted.load() == Ok(held));
}

#[test]
fn a_store_whose_file_is_gone_or_empty_is_not_taken_for_a_new_one() {
    let Logged { after, .. } = logged();
    let emptied = Image { file: vec![], log: vec![], ..after.clone() };
    let (_directory, file) = emptied.put();
    assert_eq!(crate::on_disk::load(&file), Ok((0, vec![])), "moved away on purpose");
    let (_directory, file) = emptied.put();
    std::fs::write(&file, []).unwrap();
    assert!(matches!(crate::on_disk::load(&file), Err(StoreError::Behind { found: 0, seen: 6, .. })));
    let without_file = Image { file: vec![], ..after };
    assert!(matches!(without_file.load(), Err(StoreError::Damaged { .. })));
}
