//! Rules on the source that no compiler checks: names of types, documentation of public items, the glossary, module
//! cycles, and matches on dialects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cycles;
mod documentation;
mod matches;
mod names;
mod requirements;
mod source;

fn assert_none(found: &[String], advice: &str) {
    assert!(found.is_empty(), "{advice}:\n{}", found.join("\n"));
}
