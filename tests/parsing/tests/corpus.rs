//! Runs the stored inputs of the fuzzer on stable Rust.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tillgate_parsing::FUZZ_TARGETS;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn file_names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_target_holds_for_the_corpus() {
    for (name, promise) in FUZZ_TARGETS {
        let folder = fuzz_folder().join("corpus").join(name);
        let files = file_names(&folder);
        assert!(files.len() > 3, "{name} has next to no corpus");
        for file in files {
            let path = folder.join(file);
            // printed if the promise does not hold
            println!("{}", path.display());
            promise(&std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn every_target_is_fuzzed() {
    let promised: BTreeSet<String> = FUZZ_TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(promised.len(), FUZZ_TARGETS.len());
    let targets: BTreeSet<String> = file_names(&fuzz_folder().join("fuzz_targets"))
        .into_iter()
        .map(|file| file.strip_suffix(".rs").expect("a target is a Rust file").to_owned())
        .collect();
    assert_eq!(targets, promised);
    let manifest = std::fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for name in &promised {
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")), "{name}");
        let target = std::fs::read_to_string(fuzz_folder().join("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(target.contains(&format!("tillgate_parsing::{name}(input)")), "{name} fuzzes something else");
    }
}

#[test]
fn corpus_contains_no_secret() {
    for (name, _) in FUZZ_TARGETS {
        let folder = fuzz_folder().join("corpus").join(name);
        for file in file_names(&folder) {
            let bytes = std::fs::read(folder.join(&file)).unwrap();
            assert!(bytes.len() <= 4096, "{name}/{file} is large for a seed");
            // a key, a signature or a token would be a long run of such characters
            let letters = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"+/_-".contains(byte));
            let longest = bytes.split(letters).map(<[u8]>::len).max().unwrap_or_default();
            assert!(longest < 96 || bytes.iter().collect::<BTreeSet<_>>().len() < 12, "{name}/{file}");
        }
    }
}
