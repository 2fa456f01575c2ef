//! What makes a request count once however often it is sent: the client's own key for it, and what it was answered
//! (draft-ietf-httpapi-idempotency-key-header).

use crate::ticket::Ticket;
use crate::{Instant, Stored, TenantId, UserId};

/// The SHA-256 of what a request asks: method, path and body.
pub type RequestDigest = [u8; 32];

/// What a client calls one request by: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// A text that is no such key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 255 visible ASCII characters, such as a UUID")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Takes a key as it was sent.
    pub fn parse(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose key it is: two people's same keys are two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    /// Of which tenant.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// What they call it by.
    pub key: IdempotencyKey,
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What it asked.
    pub request: RequestDigest,
    /// The ticket that it made, as it was then.
    pub ticket: Ticket,
}

/// Requests that count once.
pub trait IdempotencyKeys {
    /// What a request was answered that had this key.
    fn find(&mut self, key: &RequestKey) -> Stored<Option<Answered>>;
    /// Keeps a key with what was answered: a ticket that was made in this unit of work. False where the key has been used; of two
    /// who use it at once the second waits for the first.
    fn insert(&mut self, key: &RequestKey, answered: &Answered, at: Instant) -> Stored<bool>;
    /// Removes keys that were used before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_and_bounded() {
        for good in ["a", "8e03978e-40d5-43e8-bc93-6894a57f9324", &"x".repeat(255), "\"quoted\""] {
            assert_eq!(IdempotencyKey::parse(good).map(|key| key.as_str().to_owned()), Ok(good.to_owned()));
        }
        for bad in ["", " ", "a b", "é", "a\n", &"x".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(bad), Err(InvalidIdempotencyKey), "{bad}");
        }
    }
}
