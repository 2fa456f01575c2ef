//! Roles of a tenant: adding, changing and deleting them.

pub(super) mod add;
pub(super) mod change;
pub(super) mod views;
