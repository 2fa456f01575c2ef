//! The use cases of the engine on the store that `TEST_STORE` chooses: with a manual clock,
//! predictable random bytes, a hasher without cost, and no sleeps. Each module tests one of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::cast_possible_truncation,
    reason = "a failed expectation fails the test"
)]

mod api_key_lifetime;
mod audit_denials;
mod caches;
mod clocks;
#[path = "../support/costly_property.rs"]
mod costly_property;
mod device_keys;
mod enrollment;
mod enrollment_confirmation;
mod enrollment_denials;
mod enrollment_starter;
mod fixture;
mod introspection;
mod keys;
mod login;
mod login_denials;
mod login_races;
mod login_throttle;
mod operator_limits;
mod operators;
mod own_password;
mod pairing;
mod password_changes;
mod pending_key_limits;
mod pending_key_room;
mod pending_keys;
mod pins;
mod processes;
mod proofs;
mod refresh;
mod refresh_repeats;
mod refresh_reuse;
mod session_end;
mod session_lifetime;
mod signed_requests;
mod step_up;
mod store_clock;
mod store_failures;
mod sweep;
mod token_exchange;
mod tokens;
