//! Types are named by nouns, and the glossary names types that exist.

use std::collections::BTreeSet;
use std::fs;

use super::assert_none;
use super::source::{declaration, is_type, read_sources, repository_root};

/// Participles, adjectives and pronouns that name no thing. A type has a noun: `RefreshAttempt`,
/// `UserView`.
const PARTICIPLES: &[&str] = &[
    "Accepted",
    "Accepting",
    "Admitted",
    "Answered",
    "Applied",
    "Asked",
    "Bound",
    "Broken",
    "Called",
    "Came",
    "Changing",
    "Closed",
    "Counted",
    "Counting",
    "Dated",
    "Decided",
    "Employed",
    "Ended",
    "Entered",
    "Equipped",
    "Exposed",
    "Failed",
    "Failing",
    "Followed",
    "Forgotten",
    "Found",
    "Given",
    "Granted",
    "Guarded",
    "Happening",
    "Held",
    "Joined",
    "Kept",
    "Keyed",
    "Known",
    "Listed",
    "Listening",
    "Measured",
    "Minted",
    "Mixed",
    "Mounted",
    "Named",
    "Noted",
    "Numbered",
    "Pooled",
    "Presented",
    "Ran",
    "Ranked",
    "Refreshing",
    "Refused",
    "Running",
    "Said",
    "Sealed",
    "Searched",
    "Seen",
    "Sent",
    "Served",
    "Shared",
    "Shown",
    "Sought",
    "Standing",
    "Startled",
    "Taken",
    "Telling",
    "Told",
    "Traversed",
    "Unparsable",
    "Unsent",
    "Unsigned",
    "Unwritten",
    "Vouching",
    "Waiting",
    "Wanted",
    "Watched",
    "Withdrawn",
    "Written",
    "Everywhere",
    "Whole",
    "Who",
    "How",
    "Which",
    "Lacking",
    "Beside",
    "Wrong",
    "Odd",
    "Raw",
    "Fresh",
    "Plain",
    "Exact",
    "Many",
];

#[test]
fn types_are_named_by_nouns() {
    let mut found = Vec::new();
    for source in read_sources(&["crates", "tests", "fuzz"]) {
        for (number, line) in source.code.lines().enumerate() {
            if let Some((_, keyword, name)) = declaration(line)
                && is_type(keyword)
                && PARTICIPLES.contains(&name)
            {
                found.push(format!("{}:{}: {name}", source.path, number + 1));
            }
        }
    }
    assert_none(&found, "a type is a noun or noun phrase");
}

#[test]
fn types_of_the_glossary_exist() {
    let (mut defined, mut words) = (BTreeSet::new(), BTreeSet::new());
    for source in read_sources(&["crates"]) {
        defined.extend(source.code.lines().filter_map(|line| declaration(line).map(|(_, _, name)| name.to_owned())));
        // what a macro defines stands on a line of its own there
        let alone = source.code.lines().map(|line| line.trim().trim_end_matches([',', ';']));
        defined.extend(alone.filter(|line| line.chars().all(char::is_alphanumeric)).map(str::to_owned));
        let identifiers = source.code.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.extend(identifiers.map(str::to_owned));
    }
    let glossary = fs::read_to_string(repository_root().join("docs/glossary.md")).expect("docs/glossary.md is there");
    let (mut found, mut named, mut column) = (Vec::new(), 0, 2);
    for (number, line) in glossary.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let Some(headed) = cells.iter().position(|cell| *cell == "type") {
            column = headed;
            continue;
        }
        // what stands between backticks
        for name in cells.get(column).unwrap_or(&"").split('`').skip(1).step_by(2) {
            named += 1;
            let mut path = name.split(['<', '(']).next().unwrap().split("::");
            let owner = path.next().unwrap();
            if !defined.contains(owner) || path.any(|member| !words.contains(member)) {
                found.push(format!("docs/glossary.md:{}: {name}", number + 1));
            }
        }
    }
    assert!(named > 30, "the glossary names {named} types only");
    assert_none(&found, "no crate defines these");
}
