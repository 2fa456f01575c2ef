//! Ids of tickets. Ours are UUIDs. A till that creates a ticket by PUT generates the id itself: a
//! UUID, or 24 hexadecimal digits as in the published samples. Such an id is stored within a UUID
//! (RFC 9562, 5.8), and returned as sent, in lower case.

use tillgate_domain::TicketId;
use uuid::Uuid;

/// The bits between the two halves of a 24-digit id: version 8, the variant, and a marker of our
/// own.
const ID_MARK: &str = "8f24980d";

/// Formats an id as this contract requires.
pub(super) fn format_ticket_id(id: TicketId) -> String {
    let digits = id.0.simple().to_string();
    let (first, rest) = digits.split_at(12);
    rest.strip_prefix(ID_MARK).map_or_else(|| id.to_string(), |second| format!("{first}{second}"))
}

/// Parses an id; `None` if no ticket can have it.
pub(super) fn parse_ticket_id(sent: &str) -> Option<TicketId> {
    if sent.len() != 24 {
        return sent.parse().ok();
    }
    if !sent.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (first, second) = sent.split_at(12);
    Uuid::parse_str(&format!("{first}{ID_MARK}{second}")).ok().map(TicketId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_id_round_trips() {
        for id in ["635f7ae3072edfeae7c26a1e", "000000000000000000000000", "ffffffffffffffffffffffff"] {
            let parsed = parse_ticket_id(id).unwrap();
            assert_eq!(format_ticket_id(parsed), id);
            assert_eq!((parsed.0.get_version_num(), parsed.0.get_variant()), (8, uuid::Variant::RFC4122));
            assert_eq!(parse_ticket_id(&id.to_uppercase()), Some(parsed));
            assert_eq!(parse_ticket_id(&parsed.to_string()), Some(parsed), "by its other name too");
        }
        let uuid = "019a6f0e-6a52-7cc1-b4a5-3d6fa2d5d0aa";
        assert_eq!(parse_ticket_id(uuid).map(format_ticket_id).as_deref(), Some(uuid));
        for no in ["", "x", "635f7ae3072edfeae7c26a1", "635f7ae3072edfeae7c26a1g", "é35f7ae3072edfeae7c26a1"] {
            assert_eq!(parse_ticket_id(no), None, "{no}");
        }
    }
}
