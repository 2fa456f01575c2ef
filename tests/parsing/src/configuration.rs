//! The configuration file, the variables, and spans of time.

use std::time::Duration;

use tillgate_server::configuration::{ConfigError, keys, parse_span, read_settings};

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
    match read_settings("settings.toml", file, &variables) {
        Ok(settings) => assert_eq!(read_settings("settings.toml", file, &variables).unwrap(), settings),
        Err(fault) => assert_names_key(&fault),
    }
    for line in text.lines() {
        if let Some(read) = parse_span(line) {
            assert_eq!(parse_span(&format_span(read)), Some(read), "{line}");
        }
    }
}

fn assert_names_key(fault: &ConfigError) {
    let said = fault.to_string();
    match fault {
        ConfigError::Unknown { key, .. } => assert!(said.contains(&format!("\"{key}\"")), "{said}"),
        ConfigError::Value { key, .. } => assert!(said.contains(key) && !key.is_empty(), "{said}"),
        ConfigError::UnknownVariable { name, .. } => assert!(said.contains(name), "{said}"),
        ConfigError::Contradiction(why) => assert!(keys().any(|key| why.contains(key)), "{said}"),
        ConfigError::File { path, .. } => assert!(path == "settings.toml" && said.contains("line "), "{said}"),
    }
}

fn format_span(span: Duration) -> String {
    if span.subsec_nanos() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}
