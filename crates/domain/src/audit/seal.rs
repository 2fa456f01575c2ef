//! The seal of a line of the audit: a keyed digest over all that the line says, its number and the seal of the line before.
//!
//! Lines are born without one, so that writers never wait for each other; one sealer chains them afterwards. What is sealed is the
//! line as its store holds it, column by column and byte by byte, not what it means: a value that reads the same and is written
//! otherwise is a changed line. Nothing here knows a key, a digest or a store.

use uuid::Uuid;

use super::Event;

/// The way that lines are encoded now. A seal begins with the version that it was made by.
pub const SEAL_ENCODING_VERSION: u8 = 1;

/// What every encoding begins with, so that no digest of anything else is ever a seal.
const DOMAIN_SEPARATOR: &[u8] = b"tillgate audit line";

/// What seals are made with: a digest that nobody can make without its key.
pub trait SealKey {
    /// The digest of these bytes.
    fn compute_mac(&self, bytes: &[u8]) -> [u8; 32];
}

/// A line as its store holds it: ids are 16 bytes, texts are UTF-8, unless somebody has tampered with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its id.
    pub id: Vec<u8>,
    /// When, in milliseconds since the Unix epoch.
    pub at: i64,
    /// Whose audit it stands in.
    pub tenant: Option<Vec<u8>>,
    /// The person who did it.
    pub user: Option<Vec<u8>>,
    /// The device that it was done on.
    pub device: Option<Vec<u8>>,
    /// The session that it was done in.
    pub session: Option<Vec<u8>>,
    /// The network address that it was asked from.
    pub address: Option<Vec<u8>>,
    /// What was done.
    pub action: Vec<u8>,
    /// To what kind of thing.
    pub subject: Vec<u8>,
    /// To which.
    pub subject_id: Option<Vec<u8>>,
    /// How it went.
    pub outcome: Vec<u8>,
    /// What else there is to know, in JSON.
    pub details: Vec<u8>,
    /// Who approved it.
    pub approver: Option<Vec<u8>>,
    /// The digest of the operation that was approved.
    pub operation: Option<Vec<u8>>,
}

impl StoredEvent {
    /// The line that a store holds of an event.
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
            // a map whose keys are texts can always be written
            details: serde_json::to_vec(&event.details).unwrap_or_default(),
            approver: event.approver.map(|id| bytes(id.0)),
            operation: None,
        }
    }
}

/// A seal: the number of a line in the chain, and the digest that stands for the whole chain up to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seal {
    /// From 1, without a gap; 0 where nothing has been sealed.
    pub sequence: i64,
    /// The version of the encoding, and the digest.
    pub hash: Vec<u8>,
}

impl Seal {
    /// The seal of the line that follows on this one.
    pub fn seal_next(&self, signet: &dyn SealKey, line: &StoredEvent) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let digest = signet.compute_mac(&encode(sequence, &self.hash, line));
        Self { sequence, hash: [SEAL_ENCODING_VERSION].into_iter().chain(digest).collect() }
    }
}

/// A line with its place in the chain, as its store holds both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedEvent {
    /// What it says.
    pub event: StoredEvent,
    /// Its number.
    pub sequence: i64,
    /// The hash of the line before; empty for the first.
    pub previous: Option<Vec<u8>>,
    /// Its own.
    pub hash: Option<Vec<u8>>,
}

/// All that a seal covers, in one text that can be read in one way only: every value has its length before it, and one that is
/// missing is told from one that is empty.
fn encode(sequence: i64, previous: &[u8], line: &StoredEvent) -> Vec<u8> {
    // named one by one: a column that is added has to be put here, or this does not compile
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
    } = line;
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
        let line = StoredEvent { id: vec![7; 16], at: 1, action: b"login".to_vec(), ..StoredEvent::default() };
        let text = encode(2, b"x", &line);
        let mut expected = b"tillgate audit line\x01".to_vec();
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
