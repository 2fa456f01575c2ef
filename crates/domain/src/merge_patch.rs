//! JSON merge patch (RFC 7396): applies a partial update to a value. It knows neither requests nor
//! resources.

use crate::json::{ExactJson, JsonObject};

/// Applies a patch to a value (RFC 7396, section 2).
pub fn merge_value(target: ExactJson, patch: ExactJson) -> ExactJson {
    let ExactJson::Object(patch) = patch else { return patch };
    let members = match target {
        ExactJson::Object(members) => members,
        _ => Vec::new(),
    };
    ExactJson::Object(merge_object(JsonObject::new(members), JsonObject::new(patch)).into_members())
}

/// Applies a patch to the members of an object: `null` removes a member. Members that stay keep
/// their place; new ones follow.
pub fn merge_object(target: JsonObject, patch: JsonObject) -> JsonObject {
    let mut members = target.into_members();
    for (name, value) in patch.into_members() {
        let at = members.iter().position(|(member, _)| *member == name);
        match at.and_then(|at| members.get_mut(at)) {
            _ if value.is_null() => members.retain(|(member, _)| *member != name),
            Some((_, there)) => *there = merge_value(std::mem::take(there), value),
            None => members.push((name, merge_value(ExactJson::Null, value))),
        }
    }
    JsonObject::new(members)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn merge_patch_matches_rfc_7396_appendix_a() {
        // RFC 7396, appendix A.
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), Value::Null, Value::Null),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let made = merge_value(ExactJson::from(&target), ExactJson::from(&patch));
            assert_eq!(made.to_value_lossy(), result, "{patch}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_in_merge() {
        let of = |text: &str| ExactJson::parse(text).unwrap();
        let made = merge_value(of(r#"{"b":1.10,"a":{"x":1e2,"y":2}}"#), of(r#"{"a":{"y":null,"z":-0},"c":1.0}"#));
        assert_eq!(serde_json::to_string(&made).unwrap(), r#"{"b":1.10,"a":{"x":1e2,"z":-0},"c":1.0}"#);
    }
}
