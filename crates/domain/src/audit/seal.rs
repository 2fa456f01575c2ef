//! The seal of an audit event: a keyed digest over the content of the event, its number, and the
//! seal of the previous event.
//!
//! The audit log is sealed after the commit, in the order in which events are found, so that
//! writers never wait for each other. An event without a seal is in a partial index until it has
//! one, so a late commit is never skipped, and a stuck transaction does not block the chain, as it
//! would if the chain followed transaction numbers. The seal covers the bytes of the columns, read
//! as bytes, so that an event that is no longer valid text can still be identified.

use uuid::Uuid;

use super::Event;

/// The version of the encoding of events. A seal begins with the version with which it was made.
pub const SEAL_ENCODING_VERSION: u8 = 1;

/// The prefix of every encoding, so that a digest of anything else is never a seal.
const DOMAIN_SEPARATOR: &[u8] = b"tillgate audit event";

/// The key of seals: a message authentication code that nobody can compute without the key.
pub trait SealKey {
    /// The authentication code of these bytes.
    fn compute_mac(&self, bytes: &[u8]) -> [u8; 32];
}

/// An event as its store keeps it: ids are 16 bytes, texts are UTF-8, unless somebody has tampered
/// with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredEvent {
    /// The identifier of the event.
    pub id: Vec<u8>,
    /// The instant, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The tenant in whose audit log it appears.
    pub tenant: Option<Vec<u8>>,
    /// The user who acted.
    pub user: Option<Vec<u8>>,
    /// The device of the actor.
    pub device: Option<Vec<u8>>,
    /// The session of the actor.
    pub session: Option<Vec<u8>>,
    /// The network address of the request.
    pub address: Option<Vec<u8>>,
    /// The name of the action.
    pub action: Vec<u8>,
    /// The kind of the subject.
    pub subject: Vec<u8>,
    /// The identifier of the subject.
    pub subject_id: Option<Vec<u8>>,
    /// The name of the outcome.
    pub outcome: Vec<u8>,
    /// The further details, in JSON.
    pub details: Vec<u8>,
    /// The user who approved the action.
    pub approver: Option<Vec<u8>>,
    /// The digest of the approved operation.
    pub operation: Option<Vec<u8>>,
}

impl StoredEvent {
    /// The stored form of an event.
    pub fn of(event: &Event) -> Self {
        let bytes = |id: Uuid| id.as_bytes().to_vec();
        Self {
            id: bytes(event.id.0),
            at: event.at.millis(),
            tenant: event.tenant.map(|id| bytes(id.0)),
            user: event.actor.user.map(|id| bytes(id.0)),
            device: event.actor.device.map(|id| bytes(id.0)),
            session: event.actor.session.map(|id| bytes(id.0)),
            address: event.actor.address.map(|address| address.to_string().into_bytes()),
            action: event.action.name().into(),
            subject: event.subject.kind().name().into(),
            subject_id: event.subject.uuid().map(bytes),
            outcome: event.outcome.name().into(),
            // A map with string keys can always be serialized.
            details: serde_json::to_vec(&event.details).unwrap_or_default(),
            approver: event.approver.map(|id| bytes(id.0)),
            operation: None,
        }
    }
}

/// A seal: the number of an event in the chain, and the digest that covers the whole chain up to
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seal {
    /// The number, from 1 without gaps; 0 if nothing was sealed.
    pub sequence: i64,
    /// The version of the encoding, and the digest.
    pub hash: Vec<u8>,
}

impl Seal {
    /// The seal of the event that follows this one.
    pub fn seal_next(&self, key: &dyn SealKey, event: &StoredEvent) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let digest = key.compute_mac(&encode(sequence, &self.hash, event));
        Self { sequence, hash: [SEAL_ENCODING_VERSION].into_iter().chain(digest).collect() }
    }
}

/// An event with its place in the chain, as its store keeps both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedEvent {
    /// The content of the event.
    pub event: StoredEvent,
    /// The number of the event in the chain.
    pub sequence: i64,
    /// The hash of the previous event; empty for the first one.
    pub previous: Option<Vec<u8>>,
    /// The hash of this event.
    pub hash: Option<Vec<u8>>,
}

/// Everything that a seal covers, in an unambiguous encoding: every value is preceded by its
/// length, and a missing value differs from an empty one.
fn encode(sequence: i64, previous: &[u8], event: &StoredEvent) -> Vec<u8> {
    // All fields are named, so that this does not compile until a new column is added here.
    let StoredEvent {
        id,
        at,
        tenant,
        user,
        device,
        session,
        address,
        action,
        subject,
        subject_id,
        outcome,
        details,
        approver,
        operation,
    } = event;
    let mut text = Vec::with_capacity(512 + details.len());
    text.extend_from_slice(DOMAIN_SEPARATOR);
    text.push(SEAL_ENCODING_VERSION);
    let (sequence, at) = (sequence.to_be_bytes(), at.to_be_bytes());
    let values = [
        Some(&sequence[..]),
        Some(previous),
        Some(id),
        Some(&at[..]),
        tenant.as_deref(),
        user.as_deref(),
        device.as_deref(),
        session.as_deref(),
        address.as_deref(),
        Some(action),
        Some(subject),
        subject_id.as_deref(),
        Some(outcome),
        Some(details),
        approver.as_deref(),
        operation.as_deref(),
    ];
    for value in values {
        match value {
            None => text.push(0),
            Some(value) => {
                text.push(1);
                text.extend_from_slice(&(value.len() as u64).to_be_bytes());
                text.extend_from_slice(value);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_matches_published_example() {
        let event = StoredEvent { id: vec![7; 16], at: 1, action: b"login".to_vec(), ..StoredEvent::default() };
        let text = encode(2, b"x", &event);
        let mut expected = b"tillgate audit event\x01".to_vec();
        let values: [Option<&[u8]>; 16] = [
            Some(&[0, 0, 0, 0, 0, 0, 0, 2]),
            Some(b"x"),
            Some(&[7; 16]),
            Some(&[0, 0, 0, 0, 0, 0, 0, 1]),
            None,
            None,
            None,
            None,
            None,
            Some(b"login"),
            Some(b""),
            None,
            Some(b""),
            Some(b""),
            None,
            None,
        ];
        for value in values {
            match value {
                None => expected.push(0),
                Some(value) => {
                    expected.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, u8::try_from(value.len()).unwrap()]);
                    expected.extend_from_slice(value);
                }
            }
        }
        assert_eq!(text, expected);
    }

    #[test]
    fn encoding_separates_adjacent_values() {
        let one = StoredEvent { action: b"ab".to_vec(), subject: b"c".to_vec(), ..StoredEvent::default() };
        let other = StoredEvent { action: b"a".to_vec(), subject: b"bc".to_vec(), ..StoredEvent::default() };
        assert_ne!(encode(1, b"", &one), encode(1, b"", &other));
        let absent = StoredEvent::default();
        let empty = StoredEvent { address: Some(Vec::new()), ..StoredEvent::default() };
        assert_ne!(encode(1, b"", &absent), encode(1, b"", &empty));
        let (user, device) = (Some(vec![1; 16]), Some(vec![1; 16]));
        let (by_user, by_device) =
            (StoredEvent { user, ..StoredEvent::default() }, StoredEvent { device, ..StoredEvent::default() });
        assert_ne!(encode(1, b"", &by_user), encode(1, b"", &by_device));
    }
}
