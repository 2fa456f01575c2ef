//! What krmpesan's refresh sends: a permanent token and its pairing, in the query.
//!
//! The query is a secret. It is read here and nowhere else, and no error repeats it.

use tillgate_domain::{Secret, SessionId};

use crate::error::{ApiError, FieldErrorCode};
use crate::request::head::RequestHead;
use crate::request::query::QueryParameters;

/// Reads the refresh token, and the pairing if the text can be the id of one. An empty parameter is
/// a missing one.
pub(super) fn read_refresh(head: &RequestHead) -> Result<(Secret<String>, Option<SessionId>), ApiError> {
    let mut query = QueryParameters::lenient(head);
    let token = take_nonempty(&mut query, "refresh_token");
    let pairing = take_nonempty(&mut query, "device_id").or_else(|| take_nonempty(&mut query, "device_key"));
    if token.is_none() {
        query.add_violation("refresh_token", FieldErrorCode::Required, "is required");
    }
    if pairing.is_none() {
        query.add_violation("device_id", FieldErrorCode::Required, "is required; device_key is accepted too");
    }
    let (token, pairing) = query.finish((token.unwrap_or_default(), pairing.unwrap_or_default()))?;
    Ok((Secret::new(token), parse_pairing(&pairing)))
}

fn take_nonempty(query: &mut QueryParameters, name: &'static str) -> Option<String> {
    query.parse::<String>(name, "must be text").filter(|text| !text.is_empty())
}

/// Parses the id of a pairing, which must be in canonical form.
fn parse_pairing(text: &str) -> Option<SessionId> {
    text.parse::<SessionId>().ok().filter(|id| id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairing_id_has_one_spelling() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(parse_pairing(id).map(|id| id.to_string()).as_deref(), Some(id));
        for other in ["", "P01", &id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}"), &format!(" {id}")] {
            assert_eq!(parse_pairing(other), None, "{other}");
        }
    }
}
