//! Ending sessions of users, devices or everybody.

pub(super) mod end;
