//! A test that starts a program other than a Rust toolchain and a C compiler is ignored unless the
//! tests run with `--include-ignored`, and its `#[ignore = "requires ..."]` names the program.

use std::collections::{BTreeMap, BTreeSet};

use super::assert_none;
use super::functions::{Function, find_words, functions};
use super::source::{Source, read_sources};

/// What the source of a function contains if it starts a program, and the name of the program.
const PROGRAMS: [(&str, &str); 22] = [
    ("postgres::create_database(", "PostgreSQL"),
    ("postgres::server(", "PostgreSQL"),
    ("Server::start(&[", "PostgreSQL"),
    ("DatabaseEngine::Postgres)", "PostgreSQL"),
    ("DatabaseEngine::Postgres,", "PostgreSQL"),
    ("start_driver(", "Chromium"),
    ("Command::new(\"caddy\")", "Caddy"),
    ("unwrap_or(\"nginx\")", "nginx"),
    ("Command::new(\"promtool\")", "promtool"),
    ("Command::new(\"/usr/bin/python3\")", "Python"),
    ("\"python/bin/python\"", "Python"),
    ("Command::new(\"node\")", "Node.js"),
    ("Command::new(\"curl\")", "curl"),
    ("Command::new(\"openssl\")", "OpenSSL"),
    ("openssl s_client", "OpenSSL"),
    ("with_every_feature(", "OpenSSL"),
    ("Command::new(\"script\")", "script"),
    ("Command::new(\"bash\")", "bash"),
    ("Command::new(\"systemd-analyze\")", "systemd"),
    ("unprivileged_command(&program", "setpriv"),
    ("Command::new(\"dpkg", "dpkg"),
    ("tools/bin/cargo-deb", "dpkg"),
];

/// The programs that each function starts, by itself or by the functions that it calls.
fn required_programs(functions: &[Function]) -> Vec<BTreeSet<&'static str>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for function in functions {
        *counts.entry(&function.name).or_default() += 1;
    }
    let started = |function: &Function| {
        PROGRAMS
            .iter()
            .filter(|(start, _)| find_words(&function.body, start).next().is_some())
            .map(|(_, program)| *program)
            .collect()
    };
    let mut required: Vec<BTreeSet<&str>> = functions.iter().map(started).collect();
    loop {
        let before: usize = required.iter().map(BTreeSet::len).sum();
        for (called, function) in functions.iter().enumerate().filter(|(_, function)| !function.is_test()) {
            let mut programs = required[called].clone();
            if function.chooses_engine() {
                programs.remove("PostgreSQL");
            }
            if programs.is_empty() {
                continue;
            }
            for (caller, other) in functions.iter().enumerate() {
                if other.calls(function, counts[function.name.as_str()] == 1) {
                    required[caller].extend(&programs);
                }
            }
        }
        if required.iter().map(BTreeSet::len).sum::<usize>() == before {
            return required;
        }
    }
}

/// The invocations of `contract!(open)` without an attribute whose `open`, the function before,
/// starts a program.
fn unmarked_contracts(source: &Source, functions: &[Function], required: &[BTreeSet<&'static str>]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.code.match_indices("contract!(") {
        let line = source.code[..at].matches('\n').count() + 1;
        let open: String =
            source.code[at..].chars().skip_while(|c| *c != '(').skip(1).take_while(|c| *c != ')').collect();
        let mut before = functions
            .iter()
            .zip(required)
            .filter(|(function, _)| function.path == source.path && function.name == open && function.line < line);
        if let Some((_, programs)) = before.next_back().filter(|(_, programs)| !programs.is_empty()) {
            found.push(format!("{}:{line}: contract!({open}) requires {programs:?}", source.path));
        }
    }
    found
}

/// The crate of a source: its functions are found by name.
fn crate_of(path: &str) -> &str {
    let depth = if path.starts_with("crates/") || path.starts_with("tests/bench/") { 2 } else { 1 };
    path.match_indices('/').nth(depth - 1).map_or(path, |(end, _)| &path[..end])
}

#[test]
fn tests_name_the_programs_that_they_require() {
    let mut crates: BTreeMap<String, Vec<Function>> = BTreeMap::new();
    let mut sources = read_sources(&["crates", "tests"]);
    sources.retain(|source| !source.path.contains("/source_rules/"));
    for source in &sources {
        crates.entry(crate_of(&source.path).to_owned()).or_default().extend(functions(source));
    }
    let (mut found, mut named) = (Vec::new(), BTreeSet::new());
    for (name, functions) in &crates {
        let required = required_programs(functions);
        for source in sources.iter().filter(|source| crate_of(&source.path) == name) {
            found.extend(unmarked_contracts(source, functions, &required));
        }
        for (function, programs) in functions.iter().zip(required) {
            if !function.is_test() {
                continue;
            }
            let location = format!("{}:{}: {}", function.path, function.line, function.name);
            let reason = function.header.split_once("#[ignore").map(|(_, rest)| rest).unwrap_or_default();
            if !reason.is_empty() && !reason.starts_with(" = \"requires ") {
                found.push(format!("{location} does not say what it requires"));
            }
            for program in programs {
                if reason.contains(program) {
                    named.insert(program);
                } else {
                    found.push(format!("{location} requires {program}"));
                }
            }
        }
    }
    assert_none(&found, "add #[ignore = \"requires PROGRAM\"], so that plain `cargo test` passes without the program");
    let known: BTreeSet<&str> = PROGRAMS.iter().map(|(_, program)| *program).collect();
    assert_eq!(named, known, "every program is required by a test");
}
