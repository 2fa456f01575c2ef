//! Tenants: adding, changing and registering them, and their session limits.

pub(super) mod add;
pub(super) mod change;
pub(super) mod register;
pub(super) mod row;
