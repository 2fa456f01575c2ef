//! Cursors of lists: the position at which a page ends, as an opaque text that the client sends
//! back.
//!
//! A cursor contains the sort key and the id of the last item (keyset pagination). The item itself
//! is not looked up, so a change or removal of it does not move the start of the next page. If the
//! sort key can change, the cursor also contains the mark since which the traversal looks for
//! changes at its end; see [`Traversal`](tillgate_domain::office::Traversal).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use tillgate_domain::TenantId;
use tillgate_domain::office::{ChangeMark, TraversalPhase};
use uuid::Uuid;

use crate::error::FieldErrorCode;

/// The first byte of a cursor: what the next page contains. A new format gets a new number.
const FIXED_FORMAT: u8 = 1;
const LISTED_FORMAT: u8 = 2;
const CHANGED_FORMAT: u8 = 3;

/// Size of the scope in a cursor, in bytes.
const SCOPE_LENGTH: usize = 8;

/// Size of an id in a cursor, in bytes.
const ID_LENGTH: usize = 16;

/// Maximum length of a cursor, in bytes. A name of 100 characters from before names were limited by
/// their folded form has a sort key of up to 3.3 KB (U+FDFA folds to 33 bytes).
const MAX_CURSOR_LENGTH: usize = 8192;

/// The list, order and tenant to which a cursor belongs. A cursor of another scope is rejected,
/// because its sort key would have a different meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorScope([u8; SCOPE_LENGTH]);

impl CursorScope {
    /// Creates the scope of a list by its name. `order` is the name of the order in the request,
    /// and empty if the list has only one order.
    pub fn new(list: &str, order: &str, tenant: TenantId) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [list.as_bytes(), order.as_bytes(), tenant.0.as_bytes().as_slice()] {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut scope = [0; SCOPE_LENGTH];
        scope.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Self(scope)
    }
}

/// A sort key that precedes the id in a list's order.
pub trait SortKey: Sized {
    /// Appends the key to a cursor.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Reads what [`write`](Self::write) has written; `None` for anything else.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// The key of a list that is sorted by id only.
impl SortKey for () {
    fn write(&self, _bytes: &mut Vec<u8>) {}

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(())
    }
}

/// The key of a list that is sorted by a timestamp or an amount.
impl SortKey for i64 {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

/// The key of a list that is sorted by a text. A NUL is rejected, because not every database
/// accepts one as a parameter.
impl SortKey for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        (!text.contains('\0')).then(|| text.to_owned())
    }
}

/// The position at which a page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor<K> {
    /// The sort key of the last item.
    pub key: K,
    /// The id of the last item.
    pub id: Uuid,
    /// What the next page contains.
    pub phase: TraversalPhase,
}

/// Why a text is not a cursor of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCursor {
    /// The text is not a cursor, or was altered.
    #[error("{}", self.message())]
    Unreadable,
    /// The cursor belongs to another list, order or tenant.
    #[error("{}", self.message())]
    OtherList,
}

impl InvalidCursor {
    /// The code of the error.
    pub const fn code(self) -> FieldErrorCode {
        match self {
            Self::Unreadable => FieldErrorCode::Type,
            Self::OtherList => FieldErrorCode::OtherList,
        }
    }

    /// Returns what is wrong and what to do.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Unreadable => {
                "is not a cursor; send the \"next\" of the previous page, or omit it to start with the first page"
            }
            Self::OtherList => "belongs to another list or order; omit it to start with the first page",
        }
    }
}

impl<K: SortKey> Cursor<K> {
    /// Encodes the cursor as base64url without padding (RFC 4648, section 5).
    pub fn encode(&self, scope: CursorScope) -> String {
        let (format, since) = match self.phase {
            TraversalPhase::Fixed => (FIXED_FORMAT, None),
            TraversalPhase::Listed { since } => (LISTED_FORMAT, Some(since)),
            TraversalPhase::Changed { since } => (CHANGED_FORMAT, Some(since)),
        };
        let mut bytes = vec![format];
        bytes.extend(scope.0);
        bytes.extend(self.id.as_bytes());
        bytes.extend(since.into_iter().flat_map(|since| since.0.to_be_bytes()));
        self.key.write(&mut bytes);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Decodes a cursor of this scope.
    ///
    /// # Errors
    /// The text is not a cursor, or the cursor has another scope.
    pub fn decode(text: &str, scope: CursorScope) -> Result<Self, InvalidCursor> {
        if text.len() > MAX_CURSOR_LENGTH {
            return Err(InvalidCursor::Unreadable);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor::Unreadable)?;
        let (format, rest) = bytes.split_first().ok_or(InvalidCursor::Unreadable)?;
        let (encoded_scope, rest) = rest.split_first_chunk::<SCOPE_LENGTH>().ok_or(InvalidCursor::Unreadable)?;
        let (id, rest) = rest.split_first_chunk::<ID_LENGTH>().ok_or(InvalidCursor::Unreadable)?;
        let read_mark = || {
            let (since, key) = rest.split_first_chunk().ok_or(InvalidCursor::Unreadable)?;
            Ok((ChangeMark(i64::from_be_bytes(*since)), key))
        };
        let (phase, key) = match *format {
            FIXED_FORMAT => (TraversalPhase::Fixed, rest),
            LISTED_FORMAT => read_mark().map(|(since, key)| (TraversalPhase::Listed { since }, key))?,
            CHANGED_FORMAT => read_mark().map(|(since, key)| (TraversalPhase::Changed { since }, key))?,
            _ => return Err(InvalidCursor::Unreadable),
        };
        if *encoded_scope != scope.0 {
            return Err(InvalidCursor::OtherList);
        }
        let key = K::read(key).ok_or(InvalidCursor::Unreadable)?;
        Ok(Self { key, id: Uuid::from_bytes(*id), phase })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId(Uuid::from_bytes([7; 16]));

    const FIXED: TraversalPhase = TraversalPhase::Fixed;

    fn scope(order: &str) -> CursorScope {
        CursorScope::new("users", order, TENANT)
    }

    #[test]
    fn cursor_decodes_to_what_was_encoded() {
        let id = Uuid::from_bytes([9; 16]);
        let longest = tillgate_domain::FoldedText::of(&"\u{fdfa}".repeat(100));
        let marks = [ChangeMark::UNKNOWN, ChangeMark(0), ChangeMark(i64::MAX)];
        let phases = marks.map(|since| [TraversalPhase::Listed { since }, TraversalPhase::Changed { since }]);
        for phase in phases.into_iter().flatten().chain([FIXED]) {
            for key in ["", "anna", "žofia", longest.as_str()] {
                let cursor = Cursor { key: key.to_owned(), id, phase };
                assert_eq!(Cursor::decode(&cursor.encode(scope("user_name")), scope("user_name")), Ok(cursor));
            }
            for key in [i64::MIN, -1, 0, i64::MAX] {
                let cursor = Cursor { key, id, phase };
                assert_eq!(Cursor::decode(&cursor.encode(scope("payable")), scope("payable")), Ok(cursor));
            }
        }
        let cursor = Cursor { key: (), id, phase: FIXED };
        assert_eq!(Cursor::decode(&cursor.encode(scope("")), scope("")), Ok(cursor));
    }

    #[test]
    fn cursor_of_a_fixed_order_has_no_mark() {
        let length = |phase| Cursor { key: (), id: Uuid::nil(), phase }.encode(scope("")).len();
        assert_eq!((length(FIXED), length(TraversalPhase::Listed { since: ChangeMark(1) })), (34, 44));
    }

    #[test]
    fn cursor_of_another_list_order_or_tenant_is_rejected() {
        let text = Cursor { key: 5_i64, id: Uuid::nil(), phase: FIXED }.encode(scope("payable"));
        for other in [
            scope("-payable"),
            scope(""),
            CursorScope::new("devices", "payable", TENANT),
            CursorScope::new("userspayable", "", TENANT),
            CursorScope::new("users", "payable", TenantId(Uuid::nil())),
        ] {
            assert_eq!(Cursor::<i64>::decode(&text, other), Err(InvalidCursor::OtherList));
        }
    }

    #[test]
    fn invalid_cursor_is_rejected() {
        let id = Uuid::from_bytes([9; 16]);
        let text = Cursor { key: "a\0b".to_owned(), id, phase: FIXED }.encode(scope("user_name"));
        let number = Cursor { key: 5_i64, id, phase: FIXED }.encode(scope("payable"));
        let unreadable = |text: &str| Cursor::<String>::decode(text, scope("user_name"));
        for text in ["", "x", "%00", "=", "AAAA", &id.to_string(), &text, &text[..text.len() - 4], &"A".repeat(9000)] {
            assert!(unreadable(text).is_err(), "{text}");
        }
        assert_eq!(
            Cursor::<i64>::decode(&number[..number.len() - 2], scope("payable")),
            Err(InvalidCursor::Unreadable)
        );
        assert_eq!(Cursor::<i64>::decode(&format!("{number}AA"), scope("payable")), Err(InvalidCursor::Unreadable));
        assert_eq!(Cursor::<i64>::decode(&format!("{number}="), scope("payable")), Err(InvalidCursor::Unreadable));
        assert_eq!(Cursor::<()>::decode(&number, scope("payable")), Err(InvalidCursor::Unreadable));
    }
}
