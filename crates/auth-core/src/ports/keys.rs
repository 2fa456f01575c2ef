//! Port: the server's keys, wrapped by its master key.

use tillgate_domain::{Instant, KeyId, StoreResult};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Signs access tokens.
    Signing,
    /// Authenticates refresh tokens.
    Refresh,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Signing, Self::Refresh];

    /// The word in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Refresh => "refresh",
        }
    }
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Published and trusted, not yet used.
    Next,
    /// Used. There is one of each kind.
    Current,
    /// Trusted, no longer used.
    Kept,
    /// No longer trusted.
    Revoked,
}

impl KeyState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Next, Self::Current, Self::Kept, Self::Revoked];

    /// The word in the store.
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
    /// Its id, the `kid` of what it signs.
    pub id: KeyId,
    /// What it is for.
    pub kind: KeyKind,
    /// How it is used: `EdDSA`, `ES256`, `HS256`.
    pub algorithm: String,
    /// Where it stands.
    pub state: KeyState,
    /// The private half, wrapped by the master key.
    pub wrapped_secret: Vec<u8>,
    /// The public half, where there is one.
    pub public: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Instant,
    /// When it came into its state.
    pub state_since: Instant,
}

/// The server's keys.
pub trait Keys {
    /// Every key, revoked ones too, oldest first.
    fn list(&mut self) -> StoreResult<Vec<StoredKey>>;

    /// Adds a key. False where it is to be current and its kind has a current one already: of two first keys one is born.
    fn insert(&mut self, key: &StoredKey) -> StoreResult<bool>;

    /// Moves a key from one state to another. False where it stands elsewhere by now, or where it is to be current and its kind
    /// has a current one.
    fn change_state(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> StoreResult<bool>;

    /// Removes a key.
    fn remove(&mut self, id: KeyId) -> StoreResult<()>;
}
