//! Why events could not be sealed.

use std::fmt;

use tillgate_domain::StoreError;

/// Why events could not be sealed, or the seal file not be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SealingFailure {
    /// The database is away or busy. Sealing continues once it is back, and nothing is wrong with
    /// the audit log.
    Unavailable(String),
    /// The chain, the seal file or the database is not as it should be.
    Incorrect(String),
}

impl SealingFailure {
    /// Whether a failure after this one tells the operator nothing new. The text of an outage
    /// changes with each attempt.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::Unavailable(_), Self::Unavailable(_)))
    }

    /// Logs the failure: an outage as a warning, anything else as an error.
    pub(super) fn log(&self) {
        match self {
            Self::Unavailable(why) => {
                tracing::warn!(
                    why,
                    "the audit log could not be sealed now; its events are sealed once the database is back"
                );
            }
            Self::Incorrect(why) => tracing::error!(why, "the audit log is not sealed correctly"),
        }
    }
}

impl fmt::Display for SealingFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unavailable(why) | Self::Incorrect(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for SealingFailure {}

impl From<StoreError> for SealingFailure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict(_) => Self::Unavailable(error.to_string()),
            _ => Self::Incorrect(error.to_string()),
        }
    }
}

impl From<String> for SealingFailure {
    fn from(why: String) -> Self {
        Self::Incorrect(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outage_of_the_database_is_no_fault_of_the_chain() {
        let away = |text: &str| SealingFailure::from(StoreError::Unavailable(text.to_owned()));
        assert!(matches!(away("refused"), SealingFailure::Unavailable(_)));
        assert!(away("refused").is_same_as(&away("timed out")), "one outage is logged once");
        let cut = SealingFailure::from("the chain was cut".to_owned());
        assert!(!cut.is_same_as(&away("refused")) && !away("refused").is_same_as(&cut));
        assert!(!cut.is_same_as(&SealingFailure::from("the seal file is missing".to_owned())));
        let damaged = StoreError::Corrupt { table: "audit", column: "at", detail: "text".to_owned() };
        assert!(matches!(SealingFailure::from(damaged), SealingFailure::Incorrect(_)));
    }
}
