//! The stored form of every record. A golden once committed is never edited: a new form gets a new number, and every
//! older one must still load.
//!
//! `LONGSHORE_WRITE_GOLDENS=1` writes goldens that are missing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use longshore_store::{Kind, Record};

use crate::samples;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The goldens of a kind, by number.
fn goldens(kind: Kind) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (table, number) = name.rsplit_once('-').unwrap();
        if table == kind.table() {
            found.insert(number.parse().unwrap(), std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

#[test]
fn every_golden_loads_and_the_latest_is_what_is_written() {
    for kind in Kind::ALL {
        let written = samples::record(*kind).encode().unwrap();
        let mut known = goldens(*kind);
        if known.is_empty() && std::env::var_os("LONGSHORE_WRITE_GOLDENS").is_some() {
            std::fs::write(directory().join(format!("{}-1.json", kind.table())), format!("{written}\n")).unwrap();
            known = goldens(*kind);
        }
        let (_, latest) = known.last_key_value().unwrap_or_else(|| panic!("no golden of table {}", kind.table()));
        assert_eq!(latest.trim_end(), written, "the stored form of table {} has changed", kind.table());
        for (number, body) in &known {
            let record =
                Record::decode(*kind, body).unwrap_or_else(|error| panic!("{}-{number}: {error}", kind.table()));
            assert_eq!(record.key(), samples::record(*kind).key());
        }
        assert_eq!(Record::decode(*kind, latest).unwrap(), samples::record(*kind));
    }
}
