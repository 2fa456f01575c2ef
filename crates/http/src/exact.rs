//! Bodies of JSON with their numbers as they were written: no amount of money passes through floating point on its way in or out.

use actix_web::http::header::HeaderMap;

use crate::body;
use crate::failure::Failure;
use crate::strict::Names;

pub(crate) use tillgate_domain::ExactJson as Exact;

/// Reads a body that is JSON of any kind, of a contract whose names ignore case but below the members that come back `as_sent`.
///
/// # Errors
/// It cannot be read, or an object in it has a member twice.
pub(crate) fn read(headers: &HeaderMap, sent: &[u8], as_sent: &'static [&'static str]) -> Result<Exact, Failure> {
    parse(body::json_of_any_kind(headers, sent, Names::Caseless(as_sent))?)
}

/// Reads JSON that has been checked.
///
/// # Errors
/// It cannot be read.
pub(crate) fn parse(json: &[u8]) -> Result<Exact, Failure> {
    let text = std::str::from_utf8(json).map_err(|_| Failure::malformed("the body is no UTF-8"))?;
    Exact::parse(text).map_err(|error| body::malformed(&error))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    fn read(body: &str) -> Result<Exact, Failure> {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
        super::read(&headers, body.as_bytes(), &[])
    }

    #[test]
    fn numbers_come_and_go_as_they_are_written() {
        let text =
            r#"{"a":5.363636,"b":[1e40,0.1000,-0,123456789012345678901234567890],"c":{"d":null,"a":true,"x":"ž\n"}}"#;
        assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for no in ["", " ", "{", "[1,]", "nul", "{'a':1}", "[1e400]", "[-1e400]"] {
            assert!(read(no).is_err(), "{no}");
        }
        assert!(read(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
        assert!(read(&format!("{}{}", "[".repeat(140), "]".repeat(140))).is_err());
        assert!(read(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }
}
