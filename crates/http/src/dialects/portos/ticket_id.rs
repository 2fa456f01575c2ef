//! Ids of tickets: ours are UUIDs, and a till that makes a ticket by PUT draws the id itself, a UUID or the 24 hexadecimal digits that
//! this contract's own samples show. Such an id is kept within a UUID (RFC 9562, 5.8) and comes back as it was sent, in small
//! letters.

use tillgate_domain::TicketId;

/// What stands between the two halves of an id of 24 digits: version 8, the variant, and a mark of our own.
const MARK: &str = "8f24980d";

/// The id as this contract writes it.
pub(super) fn text(id: TicketId) -> String {
    let digits = id.0.simple().to_string();
    let (first, rest) = digits.split_at(12);
    rest.strip_prefix(MARK).map_or_else(|| id.to_string(), |second| format!("{first}{second}"))
}
