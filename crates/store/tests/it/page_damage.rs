//! Damage to the file itself, anywhere: it is refused and left as it is, or it is harmless.

use longshore_store::backend::Durable;
use longshore_store::backend::sqlite::Sqlite;
use longshore_store::{Kind, StoreError};
use rusqlite::Connection;

use crate::on_disk::{Image, Loaded, Random, batch, empty, load, load_from, row};
use crate::samples;

/// A closed store of some hundred rows of every kind, with free pages, and what it holds.
fn closed() -> (Image, Loaded) {
    let (_directory, file, mut backend) = empty();
    let mut first = batch(0, 1..350, 0..0);
    first.rows.extend(Kind::ALL.iter().filter(|kind| **kind != Kind::Task).map(|kind| row(&samples::record(*kind), 1)));
    backend.commit(&first).unwrap();
    backend.commit(&batch(1, 350..400, (1..250).filter(|sequence| sequence % 7 != 0))).unwrap();
    drop(backend);
    let held = load(&file).unwrap();
    let image = Image::of(&file);
    assert!(image.log.is_empty(), "closing brought everything into the file");
    let free: i64 = Connection::open(&file).unwrap().query_row("PRAGMA freelist_count", [], |row| row.get(0)).unwrap();
    assert!(free > 5, "there are free pages to damage");
    (image, held)
}

/// Goes on with a store that was loaded in spite of damage: it says that it cannot, or all that it did is there.
fn go_on(image: &Image, held: &Loaded) {
    let (_directory, file) = image.put();
    let mut backend = Sqlite::open(&file).unwrap();
    load_from(&mut backend).unwrap();
    let mut committed = 0;
    for previous in 2..5 {
        let start = previous * 1_000;
        if backend.commit(&batch(previous, start..start + 100, 300..350)).is_err() {
            break;
        }
        committed += 100;
        // That no space is given back loses nothing.
        let _kept = backend.tidy();
    }
    drop(backend);
    if let Ok((version, records)) = load(&file) {
        assert_eq!(version, 2 + committed / 100);
        let before = held.1.iter().filter(|(key, record)| {
            committed == 0 || record.kind() != Kind::Task || !(300..350).contains(&sequence_of(key))
        });
        assert_eq!(records.len(), before.count() + committed as usize);
    }
}

fn sequence_of(key: &str) -> u64 {
    key.rsplit('/').next().unwrap().parse().unwrap()
}

#[test]
fn garbled_bytes_anywhere_are_refused_or_harmless() {
    let (image, held) = closed();
    let (mut refused, mut harmless) = (0, 0);
    for seed in 0..200 {
        let mut garbled = image.clone();
        let mut random = Random(seed);
        // Every third in the first pages, where the structure is.
        let end = if seed % 3 == 0 { 5 * 8192 } else { garbled.file.len() };
        random.garble(&mut garbled.file[..end], 0);
        match garbled.load() {
            Ok(loaded) => {
                assert!(loaded == held, "seed {seed}: loaded, but not what was committed");
                go_on(&garbled, &held);
                harmless += 1;
            }
            Err(StoreError::Open { path, reason }) => {
                panic!("seed {seed}: not damage, but {}: {reason}", path.display())
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 20 && harmless > 20, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_cut_file_is_refused() {
    let (image, _) = closed();
    for length in (1..image.file.len()).step_by(8192 / 2 + 1) {
        let cut = Image { file: image.file[..length].to_vec(), ..image.clone() };
        let error = cut.load().expect_err("something is missing");
        assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Behind { .. }), "cut at {length}: {error}");
    }
}

#[test]
fn a_page_of_an_older_state_is_refused_or_harmless() {
    let (_directory, file, mut backend) = empty();
    backend.commit(&batch(0, 1..900, 0..0)).unwrap();
    drop(backend);
    let older = Image::of(&file);
    let mut backend = Sqlite::open(&file).unwrap();
    load_from(&mut backend).unwrap();
    backend.commit(&batch(1, (1..900).step_by(5), (2..900).step_by(5))).unwrap();
    drop(backend);
    let (newer, held) = (Image::of(&file), load(&file).unwrap());
    let pages = older.file.len().min(newer.file.len()) / 8192;
    let mut refused = 0;
    for page in 0..pages {
        let lost = page * 8192..(page + 1) * 8192;
        let mut stale = newer.clone();
        stale.file[lost.clone()].copy_from_slice(&older.file[lost]);
        match stale.load() {
            Ok(loaded) => assert!(loaded == held, "page {page}: a write was lost and not noticed"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 20, "{refused} of {pages}");
}
