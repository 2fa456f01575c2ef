//! What a check found, and how it reads.

use serde_json::{Value, json};

use crate::configuration::Settings;

/// What a check found.
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

    pub(super) fn problem(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, found: found.into(), remedy: Some(mend.into()) }
    }

    /// The same with a command on this installation at the end of how to mend it.
    pub(super) fn with_command(mut self, settings: &Settings, words: &str) -> Self {
        if let Some(mend) = &mut self.remedy {
            *mend = format!("{mend}: {}", settings.command(words));
        }
        self
    }

    /// Whether there is nothing to mend.
    pub(super) fn is_ok(&self) -> bool {
        self.remedy.is_none()
    }

    /// For people.
    pub(super) fn to_line(&self) -> String {
        match &self.remedy {
            None => format!("ok    {}: {}", self.check, self.found),
            Some(mend) => format!("MEND  {}: {}\n      {mend}", self.check, self.found),
        }
    }

    /// For machines.
    pub(super) fn to_json(&self) -> Value {
        json!({ "check": self.check, "ok": self.is_ok(), "found": self.found, "mend": self.remedy })
    }
}
