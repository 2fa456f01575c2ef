//! Stores of a tenant: adding, renaming and closing them.

pub(super) mod add;
pub(super) mod change;
pub(super) mod lookup;
