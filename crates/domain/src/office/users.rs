//! Users: adding, changing and registering them, their roles and passwords, and the views that
//! lists and details show.

pub(super) mod add;
pub(super) mod assignment;
pub(super) mod change;
pub(super) mod context_words;
pub(super) mod count;
pub(super) mod email_verification;
pub(super) mod invitations;
pub(super) mod last_admin;
pub(super) mod named_fields;
pub(super) mod password;
mod pin;
pub(super) mod register;
pub(super) mod search;
pub(super) mod unlock;
pub(super) mod views;
