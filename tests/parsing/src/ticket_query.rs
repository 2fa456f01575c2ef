//! The query of PORTOS' list of tickets.

use serde_json::{Value, json};
use tillgate_http::{ApiError, Portos, ProtocolError};

/// A query is parsed in the same way each time, or rejected with the names of invalid parameters,
/// all of which are in the query. An additional condition never adds a ticket, and of two mutually
/// exclusive conditions exactly one holds. An unknown parameter has no effect. The input is the
/// query.
pub fn ticket_query(input: &[u8]) {
    let Ok(query) = std::str::from_utf8(input) else { return };
    let Some(combined) = matching_tickets(query) else { return };
    assert_eq!(matching_tickets(query), Some(combined.clone()), "read twice");
    let with =
        |more: &str| matching_tickets(&if query.is_empty() { more.to_owned() } else { format!("{query}&{more}") });
    assert_eq!(with("nobody=knows&$this=one"), Some(combined.clone()), "what names nothing");
    for (one, other) in [
        ("isClosed=true", "isClosed=false"),
        ("HASCUSTOMER=eq:true", "hasCustomer=ne:true"),
        ("hasDiscount=True", "hasDiscount=eq:False"),
        ("hasNegativeItem=true", "hasNegativeItem=false"),
        ("hasReturnedItem=true", "hasReturnedItem=false"),
        ("currencyLabel=EUR", "currencyLabel=ne:eur"),
        ("payable=gt:5", "payable=lte:5"),
        ("openDate=lt:2026-11-21T12:00:00Z", "openDate=gte:2026-11-21T12:00:00Z"),
        ("closeInfoDeviceName=P01", "closeInfoDeviceName=ne:p01"),
    ] {
        let (one, other) = (with(one).unwrap(), with(other).unwrap());
        for ((one, other), combined) in one.iter().zip(&other).zip(&combined) {
            assert_eq!(u8::from(*one) + u8::from(*other), u8::from(*combined), "neither or both");
        }
    }
    for (more, name) in
        [("isClosed=perhaps", "isClosed"), ("payable=much", "payable"), ("openDate=gte:soon", "openDate")]
    {
        let Err(ApiError::Protocol(ProtocolError::InvalidFields(faults))) = read_query(&format!("{query}&{more}"))
        else {
            panic!("{more} was read")
        };
        assert!(faults.iter().all(|fault| fault.field == name && fault.in_query), "{faults:?}");
    }
}

fn read_query(query: &str) -> Result<Vec<bool>, ApiError> {
    let fits = Portos::read_ticket_query(query)?;
    Ok(sample_tickets().iter().map(fits).collect())
}

/// Which of some tickets a query selects; `None` if the query is invalid.
fn matching_tickets(query: &str) -> Option<Vec<bool>> {
    match read_query(query) {
        Ok(matching) => Some(matching),
        Err(ApiError::Protocol(ProtocolError::InvalidFields(faults))) => {
            assert!(!faults.is_empty());
            // names are accepted in any case, and any part of them may be encoded
            let named = query.contains('%') || query.contains('+') || {
                let small = query.to_ascii_lowercase();
                faults.iter().all(|fault| small.contains(&fault.field.to_ascii_lowercase()))
            };
            assert!(named && faults.iter().all(|fault| fault.in_query), "{query}: {faults:?}");
            None
        }
        Err(other) => panic!("the error of the caller is reported as {other:?}"),
    }
}

fn sample_tickets() -> [Value; 2] {
    [
        json!({ "id": "635f7ae3072edfeae7c26a1e", "state": "Opened", "isClosed": false, "openDate": "2026-11-21T12:00:00.000Z",
                "closeDate": null, "closeInfo.number": null, "closeInfo.deviceName": null, "closeInfo.fiscalName": null,
                "hasCustomer": false, "hasDiscount": false, "hasNegativeItem": false, "hasReturnedItem": false,
                "currencyLabel": "EUR", "payable": 5.82, "name": null, "employee.userName": "cashier", "_v": 1 }),
        json!({ "id": "635f7ae3072edfeae7c26a1f", "state": "Closed", "isClosed": true, "openDate": "2026-11-20T23:59:59.999Z",
                "closeDate": "2026-11-21T12:00:00.000Z", "closeInfo.number": 77, "closeInfo.deviceName": "P01",
                "closeInfo.fiscalName": "eKasa", "hasCustomer": true, "hasDiscount": true, "hasNegativeItem": true,
                "hasReturnedItem": true, "currencyLabel": "CZK", "payable": -5, "name": "Stôl 5",
                "employee.userName": "Majiteľ", "_v": 12 }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the corpus would test errors only.
    #[test]
    fn corpus_covers_accepted_and_refused_queries() {
        for (kept, expected) in [
            (&include_bytes!("../../../fuzz/corpus/ticket_query/closed")[..], Some(vec![false, true])),
            (include_bytes!("../../../fuzz/corpus/ticket_query/day"), Some(vec![true, false])),
            (include_bytes!("../../../fuzz/corpus/ticket_query/comma"), None),
        ] {
            let query = std::str::from_utf8(kept).unwrap();
            assert_eq!(matching_tickets(query), expected, "{query}");
        }
    }
}
