//! The errors of a store. None of them is caused by the caller.

/// The result of a call of a port.
pub type StoreResult<T> = Result<T, StoreError>;

/// The store failed. None of these errors is caused by the caller, and none means that something
/// does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Temporarily unavailable: locked, slow, full, read-only, disconnected or overloaded.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Another unit of work conflicts with this one. The store runs the closure again; callers of
    /// `run` never see this error.
    #[error("the unit of work conflicts with another one: {0}")]
    Conflict(String),
    /// A stored value cannot be parsed.
    #[error("the value in \"{table}.{column}\" of the store is damaged: {detail}")]
    Corrupt {
        /// The table of the value.
        table: &'static str,
        /// The column of the value.
        column: &'static str,
        /// What is wrong with the value, without the value itself.
        detail: String,
    },
    /// Any other error of the store: a missing permission, a missing table, a violated constraint.
    #[error("the store failed: {0}")]
    Fault(String),
    /// A unit of work was started inside another one of the same store.
    #[error("a unit of work was started inside another one")]
    Nested,
}

impl StoreError {
    /// The kind of failure in one word, for the labels of metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Conflict(_) => "conflict",
            Self::Corrupt { .. } => "corrupt",
            Self::Fault(_) => "fault",
            Self::Nested => "nested",
        }
    }

    /// The same error with the name of its unit of work in the text. [`StoreExt`](crate::StoreExt)
    /// adds it to every error.
    #[must_use]
    pub fn in_unit(self, name: &str) -> Self {
        let named = |text: String| format!("{text} (unit of work \"{name}\")");
        match self {
            Self::Unavailable(text) => Self::Unavailable(named(text)),
            Self::Conflict(text) => Self::Conflict(named(text)),
            Self::Corrupt { table, column, detail } => Self::Corrupt { table, column, detail: named(detail) },
            Self::Fault(text) => Self::Fault(named(text)),
            Self::Nested => Self::Nested,
        }
    }
}
