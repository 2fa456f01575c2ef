//! Each row of docs/threats.md names tests that exist, or says that the risk is accepted.

use std::collections::BTreeSet;

use super::assert_none;
use super::source::{read_sources, repository_root};

/// The number of rows below which the table was not found.
const MIN_ROWS: usize = 50;

#[test]
fn every_threat_names_existing_tests_or_is_accepted() {
    let sources = read_sources(&["crates", "tests", "fuzz"]);
    let names: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.code.split("fn ").skip(1))
        .map(|rest| &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())])
        .collect();
    let exists = |named: &str| {
        let is_file = |file: &str| sources.iter().any(|source| format!("/{}", source.path).ends_with(file));
        names.contains(named) || is_file(&format!("/{named}")) || is_file(&format!("/fuzz_targets/{named}.rs"))
    };
    let text = std::fs::read_to_string(repository_root().join("docs/threats.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > MIN_ROWS, "{}", rows.len());
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| !row.starts_with("| ---")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [threat, mitigation, tests] = cells[..] else {
            found.push(format!("not three cells: {row}"));
            continue;
        };
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if named.is_empty() && !mitigation.contains("Accepted") {
            found.push(format!("no test: {threat}"));
        }
        found.extend(named.into_iter().filter(|named| !exists(named)).map(|named| format!("no such test: {named}")));
    }
    assert_none(&found, "name the tests that show the mitigation");
}
