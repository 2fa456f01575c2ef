//! What the requests of all mounts share: threads for blocking work, slots for large bodies and lists, and the readiness gate.

pub(crate) mod blocking_pool;
pub(crate) mod large_body_slots;
pub(crate) mod list_slots;
pub(crate) mod load_shedding;
pub(crate) mod office;
pub(crate) mod readiness_gate;
pub(crate) mod threads;
