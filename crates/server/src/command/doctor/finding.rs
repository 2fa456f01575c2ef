//! The result of a check, as a line and as JSON.

use serde_json::{Value, json};

use crate::configuration::Settings;

/// The result of a check: what it found, and a remedy if that is a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    check: &'static str,
    found: String,
    remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, found: found.into(), remedy: None }
    }

    pub(super) fn problem(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// Appends a command for this installation to the remedy.
    pub(super) fn with_command(mut self, settings: &Settings, words: &str) -> Self {
        if let Some(remedy) = &mut self.remedy {
            *remedy = format!("{remedy}: {}", settings.command(words));
        }
        self
    }

    /// Whether the check found no problem.
    pub(super) fn is_ok(&self) -> bool {
        self.remedy.is_none()
    }

    /// The finding as text, with the remedy on a second line.
    pub(super) fn to_line(&self) -> String {
        match &self.remedy {
            None => format!("ok    {}: {}", self.check, self.found),
            Some(remedy) => format!("FIX   {}: {}\n      {remedy}", self.check, self.found),
        }
    }

    /// The finding as JSON; the member `mend` is null if there is no problem.
    pub(super) fn to_json(&self) -> Value {
        json!({ "check": self.check, "ok": self.is_ok(), "found": self.found, "mend": self.remedy })
    }
}
