//! A span of time that is outside of what it may be.

use std::fmt;
use std::time::Duration;

use super::FieldName;

/// A span of time that is outside of what it may be, and what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeViolation {
    /// Which field.
    pub field: FieldName,
    /// The least that it may be.
    pub min: Duration,
    /// The most that it may be.
    pub max: Duration,
    /// Whether the most is what the server's configuration gives, and no rule of ours.
    pub configured: bool,
}

impl RangeViolation {
    /// What the span must be, without its name.
    pub fn describe_bounds(&self) -> String {
        let (least, most) = (self.min.as_secs(), self.max.as_secs());
        let why = if self.configured { ", the longest that the server's configuration gives" } else { "" };
        format!("must lie between {least} and {most} seconds{why}")
    }
}

impl fmt::Display for RangeViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.describe_bounds())
    }
}
