//! The configuration file, the variables, and spans of time.

use std::time::Duration;

use tillgate_server::configuration::{Fault, keys, read, span};

/// What is refused names a key or a line; what is taken is taken again, and shows no secret. A span of time that is read and written
/// again is the same. The input is a file and, after a line of three hyphens, variables.
pub fn configuration(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // it would be this machine's files that are read
    if text.to_ascii_lowercase().contains("_file") || text.contains("_\\u") || text.contains("\\u005") {
        return;
    }
    let (file, variables) = text.split_once("\n---\n").unwrap_or((&text, ""));
    let variables: Vec<(String, String)> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    match read("settings.toml", file, &variables) {
        Ok(settings) => assert_eq!(read("settings.toml", file, &variables).unwrap(), settings),
        Err(fault) => named(&fault),
    }
    for line in text.lines() {
        if let Some(read) = span(line) {
            assert_eq!(span(&written(read)), Some(read), "{line}");
        }
    }
}

fn named(fault: &Fault) {
    let said = fault.to_string();
    match fault {
        Fault::Unknown { key, .. } => assert!(said.contains(&format!("\"{key}\"")), "{said}"),
        Fault::Value { key, .. } => assert!(said.contains(key) && !key.is_empty(), "{said}"),
        Fault::UnknownVariable { name, .. } => assert!(said.contains(name), "{said}"),
        Fault::Together(why) => assert!(keys().any(|key| why.contains(key)), "{said}"),
        Fault::File { path, .. } => assert!(path == "settings.toml" && said.contains("line "), "{said}"),
    }
}

fn written(span: Duration) -> String {
    if span.subsec_nanos() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}
