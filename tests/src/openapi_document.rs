//! The calls of the OpenAPI document.

use serde_json::Value;

/// The path of the native API.
const PREFIX: &str = "/api/v1/";

/// Whether the OpenAPI document has this call of the native API. A segment of the path may be a
/// placeholder, such as `{}`. The query does not count.
pub fn is_documented(document: &Value, method: &str, path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let matches = |template: &str| {
        let (given, segments) = (path.split('/'), template.split('/'));
        given.clone().count() == segments.clone().count()
            && segments.zip(given).all(|(segment, given)| segment == given || segment.starts_with('{'))
    };
    let mut paths = document["paths"].as_object().into_iter().flatten();
    paths.any(|(template, operations)| {
        let is_there = operations.get(method.to_ascii_lowercase()).is_some();
        is_there && template.strip_prefix(PREFIX).is_some_and(matches)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn call_is_found_by_method_and_template() {
        let document = json!({ "paths": { "/api/v1/users/{id}": { "get": {} }, "/api/v1/users": { "post": {} } } });
        assert!(is_documented(&document, "GET", "users/0192?with=seat"));
        assert!(is_documented(&document, "POST", "users"));
        for (method, path) in [("POST", "users/0192"), ("GET", "users"), ("GET", "users/0192/x"), ("GET", "roles/0192")]
        {
            assert!(!is_documented(&document, method, path), "{method} {path}");
        }
    }
}
