//! The repository itself: the rules of its source code, the layers of its crates, their licenses,
//! and every command that its pages show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod builds;
mod dependencies;
mod layers;
mod machine_pages;
mod page_links;
mod pages;
mod readme;
mod source_rules;
