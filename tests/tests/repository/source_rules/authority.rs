//! Every use case of the back office checks the authority of its caller, or is called unguarded: a
//! method of `UnguardedOffice`, a function of `office::unguarded`, or a function whose name ends in
//! `_unguarded`.

use std::collections::BTreeSet;

use super::assert_none;
use super::functions::{Function, find_words, functions};
use super::source::{Source, crate_sources};

/// The folder of the use cases.
const OFFICE: &str = "crates/domain/src/office";

/// The folder of the rules of tickets, which check the rights of the user who works on a ticket.
const TICKETS: &str = "crates/domain/src/ticket";

/// The calls that check an authority.
const CHECKS: [&str; 4] = ["require(", "require_any(", "require_all(", "authorize("];

/// The methods of `Office` and `OfficeReader` that run no use case.
const CONSTRUCTORS: [&str; 5] = ["new", "reader", "unguarded", "with_api_key", "with_stale_proof"];

/// Whether a program outside of the crate can call the function, and it reads or writes the store
/// for a caller.
fn is_use_case(function: &Function) -> bool {
    let is_public =
        function.path.starts_with(OFFICE) && function.header.contains("pub") && !function.header.contains("pub(");
    let runs = ["Office", "OfficeReader"].contains(&&*function.owner) && !CONSTRUCTORS.contains(&&*function.name);
    is_public && (runs || (function.owner.is_empty() && function.parameters.contains("Store<OfficePorts>")))
}

fn checks_by_itself(function: &Function) -> bool {
    CHECKS.iter().any(|check| find_words(&function.body, check).any(|before| before.ends_with('.')))
}

/// Whether `caller` calls `called`. A bare name means the function of the same file, if there is
/// one; with a module before it, a function of another file.
fn calls(caller: &Function, called: &Function, all: &[Function]) -> bool {
    let call = format!("{}(", called.name);
    if called.takes_self() {
        let receivers = ["self.", "office.", "actor."];
        return find_words(&caller.body, &call)
            .any(|before| receivers.iter().any(|receiver| before.ends_with(receiver)));
    }
    let is_same_file = called.path == caller.path;
    let is_shadowed = || all.iter().any(|other| other.path == caller.path && other.name == called.name);
    find_words(&caller.body, &call).any(|before| {
        if before.ends_with("::") && !before.ends_with("Self::") {
            !is_same_file
        } else {
            !before.ends_with('.') && (is_same_file || !is_shadowed())
        }
    })
}

/// The places of the functions that check an authority, by themselves or by the functions that they
/// call.
fn checking(all: &[Function]) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = (0..all.len()).filter(|at| checks_by_itself(&all[*at])).collect();
    loop {
        let more: Vec<usize> = (0..all.len())
            .filter(|at| !found.contains(at))
            .filter(|at| found.iter().any(|checked| calls(&all[*at], &all[*checked], all)))
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// The use cases whose name does not say whether they check an authority.
fn misnamed(sources: &[Source]) -> (usize, Vec<String>) {
    let unguarded: String =
        sources.iter().filter(|source| source.path.ends_with("/unguarded.rs")).map(|source| &*source.code).collect();
    let all: Vec<Function> = sources.iter().flat_map(functions).collect();
    let checking = checking(&all);
    let mut found = Vec::new();
    let mut guarded = 0;
    for (at, function) in all.iter().enumerate().filter(|(_, function)| is_use_case(function)) {
        let says_unguarded = function.name.ends_with("_unguarded")
            || (function.owner.is_empty()
                && find_words(&unguarded, &function.name).any(|before| {
                    !unguarded[before.len() + function.name.len()..]
                        .starts_with(|c: char| c.is_alphanumeric() || c == '_')
                }));
        match (checking.contains(&at), says_unguarded) {
            (true, false) => guarded += 1,
            (false, true) => {}
            (true, true) => found.push(format!("{}:{}: {} checks", function.path, function.line, function.name)),
            (false, false) => found.push(format!("{}:{}: {} does not", function.path, function.line, function.name)),
        }
    }
    (guarded, found)
}

#[test]
fn every_use_case_checks_authority_or_is_called_unguarded() {
    let mut sources = crate_sources();
    sources.retain(|source| source.path.starts_with(OFFICE) || source.path.starts_with(TICKETS));
    let (guarded, found) = misnamed(&sources);
    assert!(guarded > 30, "only {guarded} use cases were found");
    assert_none(&found, "a use case checks the authority of its caller exactly if its name does not say unguarded");
}

#[test]
fn use_case_without_check_is_found() {
    let source = |path: &str, text: &str| Source {
        path: format!("{OFFICE}/{path}"),
        text: text.to_owned(),
        code: text.to_owned(),
    };
    let sources = [
        source("unguarded.rs", "pub use super::audit::{read, sweep_all};"),
        source(
            "audit.rs",
            "pub fn read(store: &dyn Store<OfficePorts>) {}
             pub fn sweep(store: &dyn Store<OfficePorts>) {}
             pub fn sweep_all(store: &dyn Store<OfficePorts>, office: &Office<'_>) { office.require(x) }
             pub fn list_unguarded(store: &dyn Store<OfficePorts>) {}",
        ),
        source(
            "users.rs",
            "impl Office<'_> {
                 pub fn add(&self) { add(tx, self) }
                 pub fn change(&self) { tx.users().require_something() }
                 pub fn delete(&self) { self.add() }
             }
             impl OfficeReader<'_> {
                 pub fn list(&self) { self.store.read(x) }
             }
             fn add(tx: &mut dyn OfficeTx, office: &Office<'_>) { office.require(KnownRight::UserCreate) }",
        ),
    ];
    let (guarded, found) = misnamed(&sources);
    let names: Vec<&str> = found.iter().map(|line| line.rsplit(": ").next().unwrap()).collect();
    assert_eq!((guarded, names), (2, vec!["sweep does not", "sweep_all checks", "change does not", "list does not"]));
}
