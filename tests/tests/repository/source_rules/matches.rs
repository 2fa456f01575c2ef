//! A match on dialects names each of them and has no catch-all arm that serves an unknown one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::assert_none;
use super::source::{blank, collect_files, crate_sources, repository_root};

/// The names of the dialects, from the folder of their modules.
fn dialect_names() -> BTreeSet<String> {
    let folder = repository_root().join("crates/http/src/api/dialects");
    let mut files = Vec::new();
    collect_files(&folder, &mut files);
    let first =
        |file: &PathBuf| file.strip_prefix(&folder).unwrap().iter().next().unwrap().to_string_lossy().into_owned();
    files.iter().map(|file| first(file).trim_end_matches(".rs").to_lowercase()).filter(|name| name != "mod").collect()
}

/// The arms of every `match`: the line on which it starts, and the pattern and the start of the
/// value of each arm. `code` is `text` with strings blanked.
fn match_arms(text: &[char], code: &[char]) -> Vec<(usize, Vec<(String, String)>)> {
    let word: Vec<char> = "match ".chars().collect();
    let mut found = Vec::new();
    for start in (0..code.len()).filter(|at| code[*at..].starts_with(&word)) {
        if start > 0 && (code[start - 1].is_alphanumeric() || code[start - 1] == '_') {
            continue;
        }
        let (mut depth, mut open, mut arms, mut from) = (0, None, Vec::new(), 0);
        for at in start..code.len() {
            match code[at] {
                '{' if depth == 0 && open.is_none() => {
                    (open, from, depth) = (Some(at), at + 1, 1);
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                '=' if open.is_some() && depth == 1 && code.get(at + 1) == Some(&'>') => {
                    let value: String = text[at + 2..].iter().take(40).collect();
                    arms.push((text[from..at].iter().collect::<String>(), value.trim().to_owned()));
                }
                ',' if open.is_some() && depth == 1 => from = at + 1,
                _ => {}
            }
            if code[at] == '}' && open.is_some() && depth == 1 {
                from = at + 1;
            }
            if depth < 0 || (depth == 0 && open.is_some()) || (open.is_none() && code[at] == ';' && depth == 0) {
                break;
            }
        }
        let line = code[..start].iter().filter(|c| **c == '\n').count() + 1;
        found.push((line, arms));
    }
    found
}

#[test]
fn dialects_are_matched_by_no_catch_all() {
    let names = dialect_names();
    assert!(names.len() >= 5, "{names:?}");
    let mut found = Vec::new();
    for source in crate_sources() {
        let (text, code): (Vec<char>, Vec<char>) =
            (blank(&source.text, false).chars().collect(), source.code.chars().collect());
        assert_eq!(text.len(), code.len(), "{}", source.path);
        for (line, arms) in match_arms(&text, &code) {
            let words = |pattern: &str| {
                let words = pattern.split(|c: char| !c.is_alphanumeric());
                words.map(str::to_lowercase).any(|word| names.contains(&word))
            };
            let chooses = arms.iter().filter(|(pattern, _)| words(pattern)).count() > 0;
            // an unknown name may be rejected
            let refuses =
                |value: &str| ["None", "Err(", "return Err(", "return None"].iter().any(|no| value.starts_with(no));
            let catches = |(pattern, value): &&(String, String)| {
                let pattern = pattern.trim().trim_start_matches('|').trim();
                let binding = pattern.chars().all(|c| c.is_ascii_lowercase() || "_(), .".contains(c));
                binding && !pattern.is_empty() && pattern != "true" && pattern != "false" && !refuses(value)
            };
            if chooses && let Some((pattern, _)) = arms.iter().find(catches) {
                found.push(format!("{}:{line}: {}", source.path, pattern.trim()));
            }
        }
    }
    assert_none(&found, "name every dialect: a forgotten one must not compile, or be rejected");
}
