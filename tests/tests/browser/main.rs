//! The pages in a real browser: those of the back office, of krmpesan, and of the native API's
//! documentation. One program, so that its tests share a few browsers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api_page;
mod krmpesan_page;
mod office_acceptance;
mod office_access;
mod office_accessibility;
mod office_enrollment;
mod office_keyboard;
mod office_languages;
mod office_lists;
mod office_live;
mod office_machines;
mod office_moves;
mod office_outages;
mod office_page;
mod office_sessions;
mod office_set_up;
mod office_types;
mod office_words;
