//! A duration outside its range.

use std::fmt;
use std::time::Duration;

use super::FieldName;

/// A duration outside its range, with the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeViolation {
    /// The field of the duration.
    pub field: FieldName,
    /// The shortest allowed duration.
    pub min: Duration,
    /// The longest allowed duration.
    pub max: Duration,
    /// Whether the longest one is the configured lifetime, not a fixed limit.
    pub configured: bool,
}

impl RangeViolation {
    /// The allowed range in words, without the name of the field.
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
