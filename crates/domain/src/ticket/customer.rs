//! The customer of a ticket, as they were when they came onto it, and where they sit.

use super::error::TicketError;
use super::rate::Rate;
use super::text::Label;
use crate::JsonObject;

/// Somebody who buys. Kept with the ticket: a later change of the customer's own data changes no ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// Their id.
    pub id: Label,
    /// The client's own id of them.
    pub external_id: Label,
    /// The number of their card.
    pub card_serial_number: Label,
    /// Given name.
    pub first_name: Label,
    /// Family name.
    pub last_name: Label,
    /// The name that people read.
    pub full_name: Label,
    /// Telephone.
    pub phone: Label,
    /// E-mail address.
    pub email: Label,
    /// How much of what they pay is credited to them.
    pub credit: Rate,
    /// Their own discount: who gives a ticket this one needs no right to give discounts.
    pub discount: Rate,
    /// What the client keeps besides.
    pub meta: Meta,
    /// What a contract publishes of a customer besides, such as an address: it is read by nobody here, and comes back as it came.
    pub extra: Meta,
}

/// What is kept as it came: an object of at most 4,000 bytes of JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta(JsonObject);

impl Meta {
    /// Checks the size.
    pub fn new(object: JsonObject) -> Result<Self, TicketError> {
        const MAX_META_BYTES: usize = 4_000;
        let fits = serde_json::to_string(&object).is_ok_and(|text| text.len() <= MAX_META_BYTES);
        if fits {
            Ok(Self(object))
        } else {
            Err(TicketError::TooMany { what: "bytes in what is kept as it came", most: MAX_META_BYTES })
        }
    }

    /// As it was given.
    pub const fn object(&self) -> &JsonObject {
        &self.0
    }
}

/// Where the customer sits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The zone, such as the garden.
    pub zone: Label,
    /// The table.
    pub table: Label,
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn meta_is_bounded() {
        let of =
            |length: usize| JsonObject::from(Map::from_iter([("note".to_owned(), Value::from("x".repeat(length)))]));
        assert!(Meta::new(of(3_900)).is_ok());
        assert!(matches!(Meta::new(of(4_000)), Err(TicketError::TooMany { .. })));
    }
}
