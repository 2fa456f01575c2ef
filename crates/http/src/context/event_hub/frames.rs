//! The text of the stream: server-sent events, as the HTML standard defines them.

use actix_web::web::Bytes;
use serde::Serialize;
use tillgate_auth_core::ports::{Bookmark, FeedCursor, LiveEventView};
use uuid::Uuid;

/// How soon a browser connects again after the stream has ended, in milliseconds.
const RETRY_MILLIS: u32 = 2_000;

/// The data of an event `change`.
#[derive(Serialize)]
struct ChangeBody {
    kind: &'static str,
    id: Option<Uuid>,
    version: Option<i64>,
}

/// The position from which a client continues after this bookmark, as the `id` of an event.
fn render_position(bookmark: &Bookmark) -> String {
    format!("id: {}\n", bookmark.applied_cursor().0)
}

/// Parses the header `Last-Event-ID`; `None` if no event had this id.
pub(crate) fn parse_position(text: &str) -> Option<Bookmark> {
    let position = text.trim_ascii().parse().ok().filter(|position: &i64| *position >= 0)?;
    Some(Bookmark::from_cursor(FeedCursor(position)))
}

/// The event `change` for what has changed, without a position.
pub(super) fn render_change(view: &LiveEventView) -> String {
    let body = ChangeBody { kind: view.event.kind.name(), id: view.event.subject, version: view.version };
    // plain values are always valid JSON
    format!("event: change\ndata: {}\n\n", serde_json::to_string(&body).unwrap_or_default())
}

/// These events, of which the last one has the position.
pub(super) fn join_changes<'c>(changes: impl Iterator<Item = &'c str>, next: &Bookmark) -> Option<Bytes> {
    let mut text = String::new();
    let mut last = None;
    for change in changes {
        text.push_str(last.replace(change).unwrap_or_default());
    }
    let last = last?;
    text.push_str(&render_position(next));
    text.push_str(last);
    Some(text.into())
}

/// The event `reset`, after which the client reads its lists again.
pub(super) fn render_reset(next: &Bookmark) -> Bytes {
    format!("{}event: reset\ndata: {{}}\n\n", render_position(next)).into()
}

/// A position without an event: a browser keeps it, and reports nothing.
pub(super) fn render_heartbeat(next: &Bookmark) -> Bytes {
    format!("{}\n", render_position(next)).into()
}

/// The start of a stream, with the frames of what was missed.
pub(super) fn render_start(missed: &[u8]) -> Bytes {
    [format!("retry: {RETRY_MILLIS}\n\n").as_bytes(), missed].concat().into()
}

#[cfg(test)]
mod tests {
    use tillgate_domain::{LiveEvent, LiveEventKind, TenantId};

    use super::*;

    fn view(number: u128, version: Option<i64>) -> LiveEventView {
        let (tenant, kind) = (TenantId(Uuid::from_u128(1)), LiveEventKind::Device);
        let event = LiveEvent { tenant, kind, subject: Some(Uuid::from_u128(number)) };
        LiveEventView { event, version, principal: None }
    }

    #[test]
    fn only_the_last_change_has_a_position() {
        let next = Bookmark { cursor: FeedCursor(9), open: vec![FeedCursor(7), FeedCursor(8)] };
        let changes = [render_change(&view(2, Some(3))), render_change(&view(4, None))];
        let joined = join_changes(changes.iter().map(String::as_str), &next).unwrap();
        assert_eq!(
            std::str::from_utf8(&joined).unwrap(),
            "event: change\n\
             data: {\"kind\":\"device\",\"id\":\"00000000-0000-0000-0000-000000000002\",\"version\":3}\n\n\
             id: 7\nevent: change\n\
             data: {\"kind\":\"device\",\"id\":\"00000000-0000-0000-0000-000000000004\",\"version\":null}\n\n"
        );
        assert_eq!(join_changes(std::iter::empty(), &next), None);
        assert_eq!(render_heartbeat(&next), "id: 7\n\n");
        assert_eq!(render_reset(&next), "id: 7\nevent: reset\ndata: {}\n\n");
    }

    #[test]
    fn position_is_a_number_that_is_not_negative() {
        assert_eq!(parse_position("7"), Some(Bookmark::from_cursor(FeedCursor(7))));
        for text in ["", "x", "-1", "7x", "9223372036854775808"] {
            assert_eq!(parse_position(text), None, "{text}");
        }
    }
}
