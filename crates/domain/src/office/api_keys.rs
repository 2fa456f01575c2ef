//! API keys of programs: creating, changing and listing them, and finding those without
//! restrictions.

pub(super) mod add;
pub(super) mod change;
pub(super) mod rotate;
pub(super) mod unrestricted;
pub(super) mod views;
