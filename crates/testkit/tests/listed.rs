//! Checks that the contract's macros list every case that is written, exactly once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The cases in the source files of the folder, as `module::case`.
fn written_cases(folder: &Path) -> BTreeSet<String> {
    let mut cases = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let case = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('('));
            cases.extend(case.map(|(name, _)| format!("{module}::{name}")));
        }
    }
    cases
}

/// The cases listed in the macros of the folder, with repetitions.
fn named_cases(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    let calls = text.split("$crate::cases!(").skip(1).filter_map(|call| call.split_once(']')).map(|(call, _)| call);
    let words = calls.map(|call| {
        let words = call.split([',', '[']).map(str::trim).filter(|word| !word.is_empty());
        // after the function that opens a store, the attributes and the type of the store
        words.skip(3).map(str::to_owned).collect::<Vec<_>>()
    });
    words.flat_map(|words| words[1..].iter().map(|case| format!("{}::{case}", words[0])).collect::<Vec<_>>()).collect()
}

#[test]
fn every_written_case_is_listed_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
    let named = named_cases(&folder);
    let once: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(once, written_cases(&folder));
    assert_eq!(once.len(), named.len(), "no case is listed twice");
    assert!(once.contains("work::waiting_has_a_deadline"), "{once:?}");
}
