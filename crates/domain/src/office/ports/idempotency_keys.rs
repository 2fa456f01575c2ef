//! The port for idempotency keys (draft-ietf-httpapi-idempotency-key-header).
//!
//! An idempotency key is stored in the transaction that did the work, with the ticket as it was
//! created. A request that loses the race for a key runs again and finds the response of the
//! winner; there is no intermediate state.

use sfv::{BareItem, Item, Parser};

use crate::ticket::Ticket;
use crate::{Instant, StoreResult, TenantId, UserId};

/// The SHA-256 of a request: its method, path and body.
pub type RequestDigest = [u8; 32];

/// A client's key for one request: 1 to 255 visible ASCII characters. The header is a string of
/// structured fields (RFC 9651, section 3.3.3), in quotation marks; the same key without quotation
/// marks is equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// The text is not an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 255 visible ASCII characters, such as a UUID")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Parses a key as it was sent, with or without quotation marks. Parameters after a key in
    /// quotation marks (RFC 9651, section 3.1.2) are ignored.
    ///
    /// # Errors
    ///
    /// It is empty, too long, or contains other characters; or its parameters are malformed.
    pub fn parse(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let is_quoted = text.strip_prefix('"').is_some_and(|rest| rest.contains('"'));
        if !is_quoted {
            return Self::from_bare(text.to_owned());
        }
        match Parser::new(text).parse::<Item>().map(|item| item.bare_item) {
            Ok(BareItem::String(key)) => Self::from_bare(key.into()),
            _ => Err(InvalidIdempotencyKey),
        }
    }

    fn from_bare(key: String) -> Result<Self, InvalidIdempotencyKey> {
        if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }

    /// The key without quotation marks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which earlier versions stored what was sent in quotation marks: including
    /// them.
    #[must_use]
    pub fn to_legacy_quoted(&self) -> Option<Self> {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        Self::from_bare(format!("\"{escaped}\"")).ok()
    }
}

/// A key with its owner: the same key of two users is two keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopedIdempotencyKey {
    /// The tenant of the user.
    pub tenant: TenantId,
    /// The user who sent the request.
    pub user: UserId,
    /// The key that the client chose.
    pub key: IdempotencyKey,
}

/// The stored response to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// The digest of the request.
    pub request_digest: RequestDigest,
    /// The ticket as the request created it.
    pub ticket: Ticket,
}

/// Stores idempotency keys with their responses.
pub trait IdempotencyKeys {
    /// The response to the request with this key.
    fn find(&mut self, key: &ScopedIdempotencyKey) -> StoreResult<Option<StoredResponse>>;
    /// Stores a key with its response: a ticket that was created in this unit of work. Returns
    /// false if the key is in use; of two concurrent calls, the second waits for the first.
    fn insert(&mut self, key: &ScopedIdempotencyKey, answered: &StoredResponse, at: Instant) -> StoreResult<bool>;
    /// Removes at most `limit` keys that were used before this instant. Returns their number.
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
        for bad in [
            "\"k\";",
            "\"k\";p=",
            "\"k\";P=1",
            "\"k\";=1",
            "\"k\";p=1 x",
            "\"k\";p=(1 2)",
            "\"\";p=1",
            "\"a\\b\";p",
            "\"k\" ;p",
        ] {
            assert_eq!(IdempotencyKey::parse(bad), Err(InvalidIdempotencyKey), "{bad}");
        }
        for bad in ["", " ", "a b", "é", "a\n", &"x".repeat(256), "\"\"", "\"a b\"", "\"a\"b\"", "\"a\\b\"", "\"a\\\""]
        {
            assert_eq!(IdempotencyKey::parse(bad), Err(InvalidIdempotencyKey), "{bad}");
        }
    }

    #[test]
    fn parameters_of_a_quoted_key_are_ignored() {
        for parameters in [";p=1", ";p", "; p=1;q=\"a \\\"b;\"; r=?0", ";*a-b.c_d=token/x", ";b=:YQ==:;d=-1.5"] {
            for (quoted, bare) in [("\"k\"", "k"), ("\"a\\\"b;c\"", "a\"b;c")] {
                let sent = format!("{quoted}{parameters}");
                assert_eq!(IdempotencyKey::parse(&sent), IdempotencyKey::parse(bare), "{sent}");
            }
        }
        // without quotation marks, they are part of the key
        assert_ne!(IdempotencyKey::parse("k;p=1"), IdempotencyKey::parse("k"));
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
