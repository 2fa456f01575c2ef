//! The port for the keys of the server, encrypted by the master key.

use tillgate_domain::{Instant, KeyId, StoreResult};

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Signs access tokens.
    Signing,
    /// Authenticates refresh tokens.
    Refresh,
    /// Digests PINs before they are hashed.
    Pin,
}

impl KeyKind {
    /// All kinds, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Signing, Self::Refresh, Self::Pin];

    /// The name of the kind in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Refresh => "refresh",
            Self::Pin => "pin",
        }
    }
}

/// The state of a key in its life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Published and trusted, but not used yet.
    Next,
    /// In use; each kind has one such key.
    Current,
    /// Trusted, but no longer used.
    Kept,
    /// No longer trusted.
    Revoked,
}

impl KeyState {
    /// All states, in the order of the life cycle.
    pub const ALL: [Self; 4] = [Self::Next, Self::Current, Self::Kept, Self::Revoked];

    /// The name of the state in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Kept => "kept",
            Self::Revoked => "revoked",
        }
    }
}

/// A key as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The identifier, which is the `kid` of the tokens that it signs.
    pub id: KeyId,
    /// What the key is used for.
    pub kind: KeyKind,
    /// The algorithm: `EdDSA`, `ES256` or `HS256`.
    pub algorithm: String,
    /// Its state in the life cycle.
    pub state: KeyState,
    /// The secret key, encrypted by the master key.
    pub wrapped_secret: Vec<u8>,
    /// The public key, if the kind has one.
    pub public: Option<Vec<u8>>,
    /// The instant at which it was created.
    pub created_at: Instant,
    /// The instant at which its state last changed.
    pub state_since: Instant,
}

/// Reads and writes keys.
pub trait Keys {
    /// All keys, including revoked ones, oldest first.
    fn list(&mut self) -> StoreResult<Vec<StoredKey>>;

    /// Adds a key. Returns false if its state is `Current` and its kind has a current key; so of
    /// two first keys, one is stored.
    fn insert(&mut self, key: &StoredKey) -> StoreResult<bool>;

    /// Changes the state of a key. Returns false if its state is not `from`, or if `to` is
    /// `Current` and its kind has a current key.
    fn change_state(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> StoreResult<bool>;

    /// Removes a key.
    fn remove(&mut self, id: KeyId) -> StoreResult<()>;
}
