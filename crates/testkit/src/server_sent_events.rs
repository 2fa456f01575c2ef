//! The events of a stream of server-sent events (`text/event-stream`), as the native API writes
//! them.

use serde_json::Value;

/// An event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    /// The name: `change` or `reset`.
    pub name: String,
    /// The position after the event, if the event has one.
    pub id: Option<String>,
    /// The data of the event.
    pub data: Value,
}

/// Takes the first complete event out of the text of a stream, with the comments before it. Panics
/// if an event has no JSON data.
pub fn take_event(text: &mut String) -> Option<StreamEvent> {
    while let Some((frame, rest)) = text.split_once("\n\n") {
        let field = |name: &str| {
            let line = frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::to_owned)
        };
        let event = field("event").map(|name| StreamEvent {
            name,
            id: field("id"),
            data: serde_json::from_str(&field("data").unwrap()).unwrap(),
        });
        *text = rest.to_owned();
        if event.is_some() {
            return event;
        }
    }
    None
}
