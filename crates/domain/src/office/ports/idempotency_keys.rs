//! What makes a request count once however often it is sent: the client's own key for it, and what it was answered
//! (draft-ietf-httpapi-idempotency-key-header).

use crate::ticket::Ticket;
use crate::{Instant, StoreResult, TenantId, UserId};

/// The SHA-256 of what a request asks: method, path and body.
pub type RequestDigest = [u8; 32];

/// What a client calls one request by: 1 to 255 visible ASCII characters. The header is a string of structured fields (RFC 9651, 3.3.3),
/// which stands in quotation marks; clients that send it bare mean the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// A text that is no such key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 255 visible ASCII characters, such as a UUID")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Takes a key as it was sent, in quotation marks or bare.
    ///
    /// # Errors
    /// It is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match quoted {
            Some(quoted) => Self::from_bare(unescape(quoted).ok_or(InvalidIdempotencyKey)?),
            None => Self::from_bare(text.to_owned()),
        }
    }

    fn from_bare(key: String) -> Result<Self, InvalidIdempotencyKey> {
        if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }

    /// The key, without quotation marks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which earlier servers kept what was sent in quotation marks: with them.
    #[must_use]
    pub fn to_legacy_quoted(&self) -> Option<Self> {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        Self::from_bare(format!("\"{escaped}\"")).ok()
    }
}

/// What stands between quotation marks, where every quotation mark and every backslash in it has a backslash before it.
fn unescape(quoted: &str) -> Option<String> {
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => text.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            _ => text.push(character),
        }
    }
    Some(text)
}

/// Whose key it is: two people's same keys are two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopedIdempotencyKey {
    /// Of which tenant.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// What they call it by.
    pub key: IdempotencyKey,
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// What it asked.
    pub request_digest: RequestDigest,
    /// The ticket that it made, as it was then.
    pub ticket: Ticket,
}

/// Requests that count once.
pub trait IdempotencyKeys {
    /// What a request was answered that had this key.
    fn find(&mut self, key: &ScopedIdempotencyKey) -> StoreResult<Option<StoredResponse>>;
    /// Keeps a key with what was answered: a ticket that was made in this unit of work. False where the key has been used; of two
    /// who use it at once the second waits for the first.
    fn insert(&mut self, key: &ScopedIdempotencyKey, answered: &StoredResponse, at: Instant) -> StoreResult<bool>;
    /// Removes keys that were used before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_key_is_visible_ascii_and_bounded() {
        for good in ["a", "8e03978e-40d5-43e8-bc93-6894a57f9324", &"x".repeat(255), "a\"b", "\"a", "a\\b"] {
            assert_eq!(IdempotencyKey::parse(good).map(|key| key.as_str().to_owned()), Ok(good.to_owned()));
        }
        for bad in ["", " ", "a b", "é", "a\n", &"x".repeat(256), "\"\"", "\"a b\"", "\"a\"b\"", "\"a\\b\"", "\"a\\\""]
        {
            assert_eq!(IdempotencyKey::parse(bad), Err(InvalidIdempotencyKey), "{bad}");
        }
    }

    #[test]
    fn quoted_idempotency_key_equals_bare_key() {
        for (quoted, bare) in [("\"one\"", "one"), ("\"a\\\"b\\\\c\"", "a\"b\\c")] {
            let key = IdempotencyKey::parse(quoted).unwrap();
            assert_eq!(Ok(key.clone()), IdempotencyKey::parse(bare));
            assert_eq!(key.to_legacy_quoted().unwrap().as_str(), quoted, "as it was kept before");
        }
        let long = "x".repeat(255);
        assert_eq!(
            IdempotencyKey::parse(&format!("\"{long}\"")).unwrap().to_legacy_quoted(),
            None,
            "too long to have been kept"
        );
    }
}
