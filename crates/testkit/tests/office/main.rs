//! Tests of the back office on the store that `TEST_STORE` chooses: its rules, its lists, and its
//! errors.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    reason = "a test that cannot go on has failed"
)]

mod api_keys;
mod devices;
mod enrollments;
mod fixture;
mod inputs;
mod last_admin;
mod lists;
mod password_changes;
mod pins;
mod recent_proof;
mod roles;
mod staffed_fixture;
mod tenants;
mod tenants_and_devices;
mod ticket_inputs;
mod ticket_payments;
mod tickets;
mod user_removal;
mod users;
