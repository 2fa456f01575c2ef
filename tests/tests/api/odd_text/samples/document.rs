//! Samples generated from the OpenAPI document for the native API's calls that read, and the
//! document's texts for which there is no sample.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tillgate_tests::RunningServer;

use super::{Sample, SampleBody, TextSlot};

/// Samples of calls that read, each with all parameters and an id in the path.
pub(super) fn all_samples(server: &RunningServer, office: &str) -> Vec<Sample> {
    let document = server.new_till().get("/openapi.json").expect_status(200).json();
    let mut samples = Vec::new();
    let none = Map::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap_or(&none) {
            if !["get", "delete", "post"].contains(&method.as_str()) || method != "get" && !path.contains("{id}") {
                continue;
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let query: Vec<&str> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "query")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let odd = path.split('{').next().unwrap().to_owned();
            let path = match path.split_once('}') {
                Some((_, rest)) => format!("{odd}{{}}{rest}"),
                None => odd,
            };
            if operation["responses"]["200"]["content"].get("text/event-stream").is_some() {
                // with a token, the response would have no end
                samples.push(Sample::get(&path, &[]).call_with_header("Last-Event-ID", "1"));
                continue;
            }
            let mut sample = Sample { method: method.to_uppercase(), ..Sample::get(&path, &[]).with_token(office) };
            if parameters.iter().any(|parameter| parameter["name"] == "If-Match") {
                sample = sample.call_with_header("If-Match", "*");
            }
            if query.is_empty() {
                samples.push(sample);
            } else {
                // one at a time, so that the error of one does not hide another
                samples.extend(query.iter().map(|name| {
                    let query = vec![((*name).to_owned(), String::new())];
                    Sample { query, ..sample.clone() }
                }));
            }
        }
    }
    assert!(samples.len() > 30, "{}", samples.len());
    samples
}

/// The positions of texts in request bodies that the document describes and no sample has, such as
/// `PATCH /api/v1/users/{id} /roles/*`.
pub(crate) fn missing_samples(document: &Value, samples: &[Sample]) -> Vec<String> {
    let mut lacking = Vec::new();
    for (path, method, operation) in list_operations(document) {
        let there: BTreeSet<String> = samples
            .iter()
            .filter(|sample| sample.method == method && matches_template(&sample.path, &path))
            .flat_map(|sample| {
                let indexes = |pointer: &str| generalize_pointer(pointer, sample);
                sample.text_slots().into_iter().filter_map(move |slot| match slot {
                    TextSlot::Json(pointer) => Some(indexes(&pointer)),
                    TextSlot::Form(name) => Some(format!("/{name}")),
                    _ => None,
                })
            })
            .collect();
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        for (_, content) in bodies {
            let mut texts = BTreeSet::new();
            gather_texts(document, &content["schema"], "", &mut texts);
            let missing = texts.difference(&there).map(|text| format!("{method} {path} {text}"));
            lacking.extend(missing);
        }
    }
    lacking
}

/// The headers that the document describes as parameters and no sample of the call has.
pub(crate) fn missing_headers(document: &Value, samples: &[Sample]) -> Vec<String> {
    let mut lacking = Vec::new();
    for (path, method, operation) in list_operations(document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let Some(name) = parameter["name"].as_str().filter(|_| parameter["in"] == "header") else { continue };
            let has = |sample: &Sample| {
                let there = sample.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
                there && sample.method == method && matches_template(&sample.path, &path)
            };
            if !samples.iter().any(has) {
                lacking.push(format!("{method} {path} {name}"));
            }
        }
    }
    lacking
}

fn list_operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = ["get", "post", "put", "patch", "delete"];
    paths
        .iter()
        .flat_map(|(path, item)| {
            methods.iter().filter_map(move |method| Some((path.clone(), method.to_uppercase(), item.get(*method)?)))
        })
        .collect()
}

/// Whether a path matches a template such as `/api/v1/users/{id}`.
fn matches_template(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len() && path.iter().zip(template).all(|(own, of)| of.starts_with('{') || *own == of)
}

/// A pointer with `*` for each index, and for each key of an object with arbitrary keys.
fn generalize_pointer(pointer: &str, sample: &Sample) -> String {
    let SampleBody::Json(body) = &sample.body else { return pointer.to_owned() };
    let (mut at, mut general) = (String::new(), String::new());
    for segment in pointer.split('/').skip(1) {
        let list = body.pointer(&at).is_some_and(Value::is_array);
        let own_keys = at.ends_with("/settings");
        at = format!("{at}/{segment}");
        general.push('/');
        general.push_str(if list || own_keys { "*" } else { segment });
    }
    general
}

/// Collects the pointers of all texts of a schema. An object without declared members may contain
/// anything.
fn gather_texts(document: &Value, schema: &Value, at: &str, texts: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let found = document.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name}"));
        return gather_texts(document, found, at, texts);
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        for each in schema[several].as_array().into_iter().flatten() {
            gather_texts(document, each, at, texts);
        }
    }
    let is = |word: &str| {
        schema["type"] == word || schema["type"].as_array().is_some_and(|types| types.iter().any(|each| each == word))
    };
    if is("string") {
        texts.insert(at.to_owned());
    }
    if schema["items"].is_object() {
        gather_texts(document, &schema["items"], &format!("{at}/*"), texts);
    }
    if schema["additionalProperties"].is_object() {
        gather_texts(document, &schema["additionalProperties"], &format!("{at}/*"), texts);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        // members of responses only
        if member["readOnly"] != true {
            gather_texts(document, member, &format!("{at}/{name}"), texts);
        }
    }
}
