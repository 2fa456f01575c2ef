//! The kinds of sessions.

/// What a session was created for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKind {
    /// A user logged in with a password.
    Person,
    /// A device logged in as itself.
    Device,
    /// A user's permanent token for a device. No epoch ends it; the status of the user and of the
    /// device is checked at each refresh instead.
    Permanent,
}

impl SessionKind {
    /// All kinds, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Person, Self::Device, Self::Permanent];

    /// The name of the kind in requests, commands and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Device => "device",
            Self::Permanent => "permanent",
        }
    }
}

/// The text is not the name of a kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of session; use person, device or permanent")]
pub struct UnknownSessionKind;

impl std::str::FromStr for SessionKind {
    type Err = UnknownSessionKind;
    fn from_str(text: &str) -> Result<Self, UnknownSessionKind> {
        Self::ALL.into_iter().find(|each| each.name() == text).ok_or(UnknownSessionKind)
    }
}
