//! Ids of tickets: ours are UUIDs, and a till that makes a ticket by PUT draws the id itself, a UUID or the 24 hexadecimal digits that
//! this contract's own samples show. Such an id is kept within a UUID (RFC 9562, 5.8) and comes back as it was sent, in small
//! letters.

use tillgate_domain::TicketId;

/// What stands between the two halves of an id of 24 digits: version 8, the variant, and a mark of our own.
const MARK: [u8; 4] = [0x8f, 0x24, 0x98, 0x0d];

/// The id as this contract writes it.
pub(super) fn text(id: TicketId) -> String {
    let bytes = id.0.as_bytes();
    match bytes {
        [a, b, c, d, e, f, m, n, o, p, rest @ ..] if [*m, *n, *o, *p] == MARK => {
            let twelve = [a, b, c, d, e, f].into_iter().chain(rest);
            twelve.map(|byte| format!("{byte:02x}")).collect()
        }
        _ => id.to_string(),
    }
}
