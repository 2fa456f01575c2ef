//! The status of an API key in requests, queries and responses.

use std::str::FromStr;

use tillgate_domain::ExactJson;

use crate::error::FieldErrorCode;
use crate::request::field::{FieldError, FromJson};

/// Whether an API key is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyStatus {
    Active,
    Revoked,
}

impl KeyStatus {
    pub(super) const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    pub(super) const fn from_active(active: bool) -> Self {
        if active { Self::Active } else { Self::Revoked }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    pub(super) fn is_active(self) -> bool {
        self == Self::Active
    }
}

impl FromStr for KeyStatus {
    type Err = ();
    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.name() == name).ok_or(())
    }
}

impl FromJson for KeyStatus {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        String::from_json(value)?
            .parse()
            .map_err(|()| FieldError::for_value(FieldErrorCode::Format, "must be active or revoked"))
    }
}
