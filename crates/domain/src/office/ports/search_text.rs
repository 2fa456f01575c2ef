//! The text by which each entity is searched, folded like names. A store keeps it beside the row,
//! so that a search finds the same on every database; filters use it, too.

use serde_json::{Map, Value};

use crate::name::FIELD_SEPARATOR;
use crate::ticket::Ticket;
use crate::{Device, Email, FoldedText, User};

/// Begins the e-mail address in the search text of a user, so that a search by names alone can omit
/// the address. No searched text contains it.
pub const ADDRESS_MARK: char = '\u{1e}';

/// The search text of a user: name and display name, and behind [`ADDRESS_MARK`] the e-mail address
/// in every form in which it may be searched: as entered, and with its domain in Unicode and in
/// Punycode. Nearly every address has one form only.
pub fn from_user(user: &User) -> String {
    from_user_texts(user.name.as_str(), user.email.as_ref().map_or("", Email::as_str), &user.display_name)
}

/// The search text of a user from its texts.
pub fn from_user_texts(name: &str, email: &str, display_name: &str) -> String {
    let names = FoldedText::join_search_text([name, display_name]);
    if email.is_empty() {
        return names;
    }
    let entered = FoldedText::of(email);
    let others = Email::lookup_keys_of(email).into_iter().filter(|key| *key != entered);
    others.fold(format!("{names}{FIELD_SEPARATOR}{ADDRESS_MARK}{}", entered.as_str()), |text, key| {
        format!("{text}{FIELD_SEPARATOR}{}", key.as_str())
    })
}

/// The search text of a device: name and description.
pub fn from_device(device: &Device) -> String {
    from_device_texts(device.name.as_str(), &device.description)
}

/// The search text of a device from its texts.
pub fn from_device_texts(name: &str, description: &str) -> String {
    FoldedText::join_search_text([name, description])
}

/// The search text of a ticket: name, external id and the full name of the customer.
pub fn from_ticket(ticket: &Ticket) -> String {
    let customer = ticket.sheet.customer.as_ref().map_or("", |customer| customer.full_name.as_str());
    from_ticket_texts(ticket.sheet.name.as_str(), ticket.sheet.external_id.as_str(), customer)
}

/// The search text of a ticket from its texts.
pub fn from_ticket_texts(name: &str, external_id: &str, customer: &str) -> String {
    FoldedText::join_search_text([name, external_id, customer])
}

/// The search text of the details of an audit event; `None` if their JSON in lower case serves,
/// which is the case if it is ASCII without escapes, so that most events need no search text.
pub fn from_details(details: &Map<String, Value>) -> Option<String> {
    let json = serde_json::to_string(details).ok()?;
    if json.is_ascii() && !json.contains('\\') {
        return None;
    }
    let mut texts = Vec::new();
    for (key, value) in details {
        texts.push(key.clone());
        collect_texts(value, &mut texts);
    }
    Some(FoldedText::join_search_text(texts.iter().map(String::as_str)))
}

/// Collects the names of all members, and all values as text.
fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, texts)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            texts.push(key.clone());
            collect_texts(value, texts);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => texts.push(value.to_string()),
    }
}

/// Whether a folded text can occur in the JSON of details without a search text: a character that
/// JSON escapes cannot.
pub fn may_occur_in_json(text: &FoldedText) -> bool {
    !text.as_str().contains(['"', '\\'])
}

/// Whether the details contain a text.
pub fn details_contain(details: &Map<String, Value>, text: &FoldedText) -> bool {
    if let Some(searched) = from_details(details) {
        return searched.contains(text.as_str());
    }
    let json = serde_json::to_string(details).unwrap_or_default();
    may_occur_in_json(text) && json.to_ascii_lowercase().contains(text.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(details: &Value, text: &str) -> bool {
        details_contain(details.as_object().unwrap(), &FoldedText::of(text))
    }

    #[test]
    fn user_is_found_by_every_form_of_the_address() {
        for (email, forms) in [
            ("U@MÜNCHEN.example", &["u@münchen.example", "u@xn--mnchen-3ya.example"][..]),
            ("u@xn--mnchen-3ya.example", &["u@xn--mnchen-3ya.example", "u@münchen.example"]),
            ("u@münchen.xn--fiqs8s", &["u@münchen.xn--fiqs8s", "u@münchen.中国", "u@xn--mnchen-3ya.xn--fiqs8s"]),
            ("anna@Example.com", &["anna@example.com"]),
        ] {
            let expected = format!("anna\u{1f}anna ňuňák\u{1f}\u{1e}{}", forms.join("\u{1f}"));
            assert_eq!(from_user_texts("Anna", email, "Anna Ňuňák"), expected);
        }
        assert_eq!(from_user_texts("Anna", "", "Anna Ňuňák"), "anna\u{1f}anna ňuňák");
    }

    #[test]
    fn details_are_found_by_original_text() {
        let odd = json!({ "user_name": "quo\"te\\9", "roles": [{ "on": "Ňuňák" }], "count": 12 });
        for text in ["QUO\"te\\9", "\"", "\\", "ňuŇ", "roles", "12"] {
            assert!(holds(&odd, text), "{text}");
        }
        assert!(!holds(&odd, "ňuňak") && !holds(&odd, "[{"));
        let plain = json!({ "reason": "Wrong_Password" });
        assert!(holds(&plain, "wrong_password") && holds(&plain, "REASON"));
        assert!(!holds(&plain, "\"") && !holds(&plain, "\\"));
        assert_eq!(from_details(plain.as_object().unwrap()), None);
    }
}
