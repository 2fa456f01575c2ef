//! Devices: adding, changing, enrolling, finding and listing them.

pub(super) mod add;
pub(super) mod change;
pub(super) mod enrollment;
pub(super) mod lookup;
pub(super) mod pending_key;
pub(super) mod search;
