//! JSON whose numbers stay as they were sent, and the detection of duplicate members.

pub(crate) mod duplicates;
pub(crate) mod exact;
