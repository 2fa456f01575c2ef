//! The configuration file, environment variables, and durations.

use std::time::Duration;

use tillgate_server::configuration::{ConfigError, keys, parse_span, read_settings};

/// An error names a key or a line. A valid configuration is valid again after it is written, and
/// its output contains no secret. A duration is the same after it is written and parsed again. The
/// input is a file and, behind a line of three hyphens, variables.
pub fn configuration(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // this would read files of this machine
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
    let message = fault.to_string();
    match fault {
        ConfigError::Unknown { key, .. } => assert!(message.contains(&format!("\"{key}\"")), "{message}"),
        ConfigError::Value { key, .. } => assert!(message.contains(key) && !key.is_empty(), "{message}"),
        ConfigError::UnknownVariable { name, .. } => assert!(message.contains(name), "{message}"),
        ConfigError::Contradiction(why) => assert!(keys().any(|key| why.contains(key)), "{message}"),
        ConfigError::File { path, .. } => assert!(path == "settings.toml" && message.contains("line "), "{message}"),
    }
}

fn format_span(span: Duration) -> String {
    if span.subsec_nanos() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}
