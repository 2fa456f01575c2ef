//! A span of time that is outside of what it may be.

use std::fmt;
use std::time::Duration;

use super::Field;

/// A span of time that is outside of what it may be, and what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which field.
    pub field: Field,
    /// The least that it may be.
    pub least: Duration,
    /// The most that it may be.
    pub most: Duration,
    /// Whether the most is what the server's configuration gives, and no rule of ours.
    pub configured: bool,
}

impl Span {
    /// What the span must be, without its name.
    pub fn bounds(&self) -> String {
        let (least, most) = (self.least.as_secs(), self.most.as_secs());
        let why = if self.configured { ", the longest that the server's configuration gives" } else { "" };
        format!("must lie between {least} and {most} seconds{why}")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.bounds())
    }
}
