//! Rules on the source that no compiler checks: names of types, documentation of public items, the
//! glossary, the tests named in docs/threats.md, module cycles, checks of authority, and matches on
//! dialects.

mod authority;
mod cycles;
mod documentation;
mod functions;
mod matches;
mod names;
mod requirements;
mod source;
mod threats;

fn assert_none(found: &[String], advice: &str) {
    assert!(found.is_empty(), "{advice}:\n{}", found.join("\n"));
}
