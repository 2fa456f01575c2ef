//! The state of the store, as the table `meta` holds it.

use tillgate_auth_core::ports::InstanceState;
use tillgate_domain::StoreResult;

use super::Column;

/// The stored word for a state.
pub(crate) const fn state_word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Open => "open",
        InstanceState::Draining => "draining",
        InstanceState::Moved => "moved",
    }
}

/// Parses the stored word for a state.
pub(crate) fn parse_state(word: &str) -> StoreResult<InstanceState> {
    Column("meta", "state").parse_word(
        &[InstanceState::Open, InstanceState::Draining, InstanceState::Moved],
        state_word,
        word,
    )
}
