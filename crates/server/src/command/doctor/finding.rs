//! What a check found, and how it reads.

use serde_json::{Value, json};

use crate::configuration::Settings;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    check: &'static str,
    found: String,
    mend: Option<String>,
}

impl Finding {
    pub(super) fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, found: found.into(), mend: None }
    }

    pub(super) fn bad(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, found: found.into(), mend: Some(mend.into()) }
    }

    /// The same with a command on this installation at the end of how to mend it.
    pub(super) fn run(mut self, settings: &Settings, words: &str) -> Self {
        if let Some(mend) = &mut self.mend {
            *mend = format!("{mend}: {}", settings.command(words));
        }
        self
    }

    /// Whether there is nothing to mend.
    pub(super) fn well(&self) -> bool {
        self.mend.is_none()
    }

    /// For people.
    pub(super) fn line(&self) -> String {
        match &self.mend {
            None => format!("ok    {}: {}", self.check, self.found),
            Some(mend) => format!("MEND  {}: {}\n      {mend}", self.check, self.found),
        }
    }

    /// For machines.
    pub(super) fn document(&self) -> Value {
        json!({ "check": self.check, "ok": self.well(), "found": self.found, "mend": self.mend })
    }
}
