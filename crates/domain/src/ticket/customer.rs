//! The customer of a ticket, as at the time of the sale, and the location.

use super::error::TicketError;
use super::rate::Rate;
use super::text::Label;
use crate::JsonObject;

/// A customer. It is stored with the ticket: later changes of the customer's data do not change the
/// ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// The id of the customer.
    pub id: Label,
    /// The client's own id of the customer.
    pub external_id: Label,
    /// The number of the customer card.
    pub card_serial_number: Label,
    /// The given name of the customer.
    pub first_name: Label,
    /// The family name of the customer.
    pub last_name: Label,
    /// The full name for display.
    pub full_name: Label,
    /// The telephone number of the customer.
    pub phone: Label,
    /// The e-mail address of the customer.
    pub email: Label,
    /// The percentage of the payment that is credited to the customer.
    pub credit: Rate,
    /// The customer's own discount, which requires no right to give discounts.
    pub discount: Rate,
    /// What the client stores besides.
    pub meta: Meta,
    /// Further properties that a dialect defines, such as an address. They are returned as they
    /// were sent.
    pub extra: Meta,
}

/// A stored object that is returned as it was sent: at most 4,000 bytes of JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta(JsonObject);

impl Meta {
    /// Checks the size of the object.
    pub fn new(object: JsonObject) -> Result<Self, TicketError> {
        const MAX_META_BYTES: usize = 4_000;
        let fits = serde_json::to_string(&object).is_ok_and(|text| text.len() <= MAX_META_BYTES);
        if fits {
            Ok(Self(object))
        } else {
            Err(TicketError::TooMany { what: "bytes in what is kept as it came", most: MAX_META_BYTES })
        }
    }

    /// The object as it was sent.
    pub const fn object(&self) -> &JsonObject {
        &self.0
    }
}

/// The place where the customer sits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The zone, such as the garden.
    pub zone: Label,
    /// The name of the table.
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
