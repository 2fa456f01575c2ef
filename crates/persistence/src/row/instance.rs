//! The state of the store, as the table `meta` holds it.

use tillgate_auth_core::ports::InstanceState;
use tillgate_domain::StoreResult;

use super::Column;

/// Parses the stored word for a state.
pub(crate) fn parse_state(word: &str) -> StoreResult<InstanceState> {
    let name = |state| match state {
        InstanceState::Open => "open",
        InstanceState::Draining => "draining",
        InstanceState::Moved => "moved",
    };
    Column("meta", "state").parse_word(
        &[InstanceState::Open, InstanceState::Draining, InstanceState::Moved],
        name,
        word,
    )
}
