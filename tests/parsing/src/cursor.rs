//! Cursors of lists.

use tillgate_domain::TenantId;
use tillgate_domain::office::{ChangeMark, TraversalPhase};
use tillgate_http::{Cursor, CursorScope, InvalidCursor, SortKey};
use uuid::Uuid;

/// A text that is parsed as a cursor is serialized to the same text; every other text is rejected.
/// A cursor made from the input is parsed again, and rejected in any other list, order or tenant.
/// The input is one or the other.
pub fn cursor(input: &[u8]) {
    let scope = CursorScope::new("users", "user_name", TenantId(Uuid::nil()));
    if let Ok(text) = std::str::from_utf8(input) {
        check_decoded::<String>(text, scope);
        check_decoded::<i64>(text, scope);
        check_decoded::<()>(text, scope);
        check_encoded(input, &text.replace('\0', ""), scope);
    }
    let mut number = [0; 8];
    number.iter_mut().zip(input).for_each(|(to, from)| *to = *from);
    check_encoded(input, &i64::from_be_bytes(number), scope);
    check_encoded(input, &(), scope);
}

fn check_decoded<K: SortKey>(text: &str, scope: CursorScope) {
    if let Ok(cursor) = Cursor::<K>::decode(text, scope) {
        assert_eq!(cursor.encode(scope), text, "two texts for one cursor");
    }
}

fn check_encoded<K: SortKey + Clone + PartialEq + std::fmt::Debug>(input: &[u8], key: &K, scope: CursorScope) {
    let mut id = [0; 16];
    id.iter_mut().zip(input).for_each(|(to, from)| *to = *from);
    let since = ChangeMark(i64::try_from(input.len()).unwrap_or_default());
    let phase = match input.first().map(|byte| byte % 3) {
        Some(0) => TraversalPhase::Listed { since },
        Some(1) => TraversalPhase::Changed { since },
        _ => TraversalPhase::Fixed,
    };
    let cursor = Cursor { key: key.clone(), id: Uuid::from_bytes(id), phase };
    let text = cursor.encode(scope);
    match Cursor::<K>::decode(&text, scope) {
        Ok(again) => assert_eq!(again, cursor),
        // longer than any cursor of a list
        Err(why) => assert!(text.len() > 8192, "{why}"),
    }
    // parts of a request, which may look like others when they are concatenated
    let words: Vec<&str> = std::str::from_utf8(input).unwrap_or_default().splitn(2, '\n').collect();
    let tenant = TenantId(Uuid::from_bytes(id));
    let other = CursorScope::new(words.first().unwrap_or(&""), words.get(1).unwrap_or(&""), tenant);
    if other != scope && text.len() <= 8192 {
        assert_eq!(Cursor::<K>::decode(&text, other), Err(InvalidCursor::OtherList));
    }
}
