//! Password resets by mail: requests, the queue of pending mails, and completion.

pub(super) mod password;
pub(super) mod queue;
