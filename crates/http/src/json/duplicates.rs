//! A strict check of a JSON body before it is parsed: no object has a member twice, because parsers
//! would disagree on its meaning (RFC 8259, section 4), and every number is in range. A body with
//! repeated members is read without them, so that they are reported with its other violations.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{ApiError, FieldErrorCode, FieldViolation, malformed_body_error};
use crate::json::exact::ExactJson;

/// When two member names are equal, and how their position is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameComparison {
    /// If they are identical; a position is a JSON pointer (RFC 6901) without its first slash.
    Exact,
    /// If they are equal ignoring the case of A to Z; a position is written like
    /// `Items[0].UnitPrice`. The values of the members with these names are JSON of the client's
    /// own, in which names are compared exactly.
    Caseless(&'static [&'static str]),
}

/// Checks the JSON of a body, and returns a violation for each member that an object has twice.
///
/// # Errors
/// The body is not JSON or has a number out of range.
pub(crate) fn find_repeated_members(json: &[u8], names: NameComparison) -> Result<Vec<FieldViolation>, ApiError> {
    let mut pass = MemberChecker { names, path: Vec::new(), verbatim_depth: 0, duplicates: Vec::new() };
    let mut reader = serde_json::Deserializer::from_slice(json);
    (&mut pass).deserialize(&mut reader).and_then(|()| reader.end()).map_err(|error| malformed_body_error(&error))?;
    let mut violations: Vec<FieldViolation> = pass.duplicates.into_iter().map(duplicate_violation).collect();
    violations.sort();
    violations.dedup();
    Ok(violations)
}

/// The value without repeated members: of those with identical names, the last one stays.
pub(crate) fn remove_repeated_members(value: ExactJson) -> ExactJson {
    match value {
        ExactJson::Array(elements) => ExactJson::Array(elements.into_iter().map(remove_repeated_members).collect()),
        ExactJson::Object(members) => {
            let mut seen = HashSet::new();
            let last_first = members.into_iter().rev().filter(|(name, _)| seen.insert(name.clone()));
            let mut kept: Vec<(String, ExactJson)> =
                last_first.map(|(name, value)| (name, remove_repeated_members(value))).collect();
            kept.reverse();
            ExactJson::Object(kept)
        }
        other => other,
    }
}

/// The violation for a member that occurs more than once.
pub(crate) fn duplicate_violation(path: String) -> FieldViolation {
    FieldViolation {
        field: path.into(),
        in_query: false,
        code: FieldErrorCode::Duplicate,
        message: "must not be repeated".into(),
    }
}

struct MemberChecker {
    names: NameComparison,
    /// Names and indexes of the enclosing members and elements.
    path: Vec<String>,
    /// How many of the enclosing members are JSON of the client's own.
    verbatim_depth: usize,
    /// Positions of repeated members.
    duplicates: Vec<String>,
}

impl MemberChecker {
    fn format_path(&self, name: &str) -> String {
        let segments = self.path.iter().map(String::as_str).chain([name]);
        match self.names {
            NameComparison::Exact => {
                let escaped: Vec<String> =
                    segments.map(|segment| segment.replace('~', "~0").replace('/', "~1")).collect();
                escaped.join("/")
            }
            NameComparison::Caseless(_) => segments.fold(String::new(), |path, segment| match segment {
                segment if path.is_empty() || segment.starts_with('[') => path + segment,
                segment => format!("{path}.{segment}"),
            }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut MemberChecker {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut MemberChecker {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            self.path.push(match self.names {
                NameComparison::Exact => index.to_string(),
                NameComparison::Caseless(_) => format!("[{index}]"),
            });
            let read = elements.next_element_seed(&mut *self)?;
            self.path.pop();
            if read.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let (compared, is_verbatim) = match self.names {
                NameComparison::Caseless(as_sent) if self.verbatim_depth == 0 => {
                    (name.to_ascii_lowercase(), as_sent.iter().any(|each| each.eq_ignore_ascii_case(&name)))
                }
                NameComparison::Caseless(_) | NameComparison::Exact => (name.clone(), false),
            };
            if !seen.insert(compared) {
                self.duplicates.push(self.format_path(&name));
            }
            self.path.push(name);
            self.verbatim_depth += usize::from(is_verbatim);
            members.next_value_seed(&mut *self)?;
            self.verbatim_depth -= usize::from(is_verbatim);
            self.path.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ProtocolError;

    fn duplicate_places(json: &str, names: NameComparison) -> Vec<String> {
        let violations = find_repeated_members(json.as_bytes(), names).unwrap();
        assert!(violations.iter().all(|violation| violation.code == FieldErrorCode::Duplicate && !violation.in_query));
        violations.into_iter().map(|violation| violation.field.into_owned()).collect()
    }

    #[test]
    fn every_duplicate_member_is_reported_by_place() {
        let json = r#"{"a":1,"A":2,"a":3,"l":[{"x/y":1,"x/y":2},[{"b":0,"b":1,"b":2}]],"":{"":1,"":2},"m":{"a":1}}"#;
        assert_eq!(duplicate_places(json, NameComparison::Exact), ["/", "a", "l/0/x~1y", "l/1/0/b"]);
        let json = r#"{"Items":[],"items":[{"Amount":1,"amount":2,"Price":{"a":1,"A":1}}],"ß":1,"ẞ":2}"#;
        assert_eq!(
            duplicate_places(json, NameComparison::Caseless(&[])),
            ["items", "items[0].Price.A", "items[0].amount"]
        );
        assert_eq!(duplicate_places(json, NameComparison::Exact), [""; 0]);
        assert_eq!(duplicate_places(r#"{"a":1,"\u0061":2}"#, NameComparison::Exact), ["a"]);
    }

    #[test]
    fn verbatim_json_has_exact_names() {
        let names = NameComparison::Caseless(&["meta"]);
        let json = r#"{"Meta":{"a":1,"A":2,"meta":{"b":1,"B":2}},"items":[{"meta":[{"x":1,"X":2}]}]}"#;
        assert_eq!(duplicate_places(json, names), [""; 0]);
        let json = r#"{"meta":{"a":1,"a":2,"l":[{"b":1,"b":2}]},"x":1,"X":2}"#;
        assert_eq!(duplicate_places(json, names), ["X", "meta.a", "meta.l[0].b"]);
        assert_eq!(duplicate_places(r#"{"meta":{},"Meta":{}}"#, names), ["Meta"]);
    }

    #[test]
    fn last_of_repeated_members_stays() {
        let read = |json: &str| {
            let value = remove_repeated_members(ExactJson::parse(json).unwrap());
            serde_json::to_string(&value).unwrap()
        };
        assert_eq!(
            read(r#"{"a":1.10,"b":[{"c":1,"d":2,"c":3}],"a":{"x":1,"x":2},"A":0}"#),
            r#"{"b":[{"d":2,"c":3}],"a":{"x":2},"A":0}"#
        );
        assert_eq!(read(r#"[1,null,"a"]"#), r#"[1,null,"a"]"#);
    }

    #[test]
    fn valid_json_passes() {
        for json in ["null", "[]", "{}", "1", "-0", "1e308", "1e-400", "\"x\"", r#"{"a":{"a":{"a":[]}},"b":{"a":1}}"#] {
            assert_eq!(find_repeated_members(json.as_bytes(), NameComparison::Exact), Ok(Vec::new()), "{json}");
        }
        for no in ["", "1e400", "[-1e400]", "{\"a\":1e999}", "{}{}", "\"\\ud800\"", "{1:1}", "[1,]"] {
            assert!(
                matches!(
                    find_repeated_members(no.as_bytes(), NameComparison::Exact),
                    Err(ApiError::Protocol(ProtocolError::MalformedBody(_)))
                ),
                "{no}"
            );
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(find_repeated_members(deep(100).as_bytes(), NameComparison::Exact), Ok(Vec::new()));
        assert!(find_repeated_members(deep(100_000).as_bytes(), NameComparison::Exact).is_err());
    }

    #[test]
    fn object_with_many_members_is_checked_in_time() {
        let members: Vec<String> = (0..50_000).map(|number| format!("\"m{number}\":0")).collect();
        assert_eq!(
            find_repeated_members(format!("{{{}}}", members.join(",")).as_bytes(), NameComparison::Caseless(&[])),
            Ok(Vec::new())
        );
    }
}
