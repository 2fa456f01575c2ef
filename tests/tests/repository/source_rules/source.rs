//! The sources of the workspace, with their comments and strings blanked.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file of the workspace.
pub(crate) struct Source {
    /// The path from the root of the repository.
    pub(crate) path: String,
    /// The text as it is.
    pub(crate) text: String,
    /// The text with comments and the contents of strings blanked; lines and columns stay.
    pub(crate) code: String,
}

pub(crate) fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

pub(crate) fn collect_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect_files(&entry, found);
            }
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

/// Every source under these folders of the repository.
pub(crate) fn read_sources(folders: &[&str]) -> Vec<Source> {
    let root = repository_root();
    let mut files = Vec::new();
    for folder in folders {
        collect_files(&root.join(folder), &mut files);
    }
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        Source { path, code: blank(&text, true), text }
    };
    files.into_iter().map(read).collect()
}

/// The sources of every crate, without its tests.
pub(crate) fn crate_sources() -> Vec<Source> {
    let mut sources = read_sources(&["crates"]);
    sources.retain(|source| {
        let mut folders = source.path.split('/').skip(2);
        folders.next() == Some("src") && !source.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    });
    sources
}

/// Blanks the comments of a text, and the contents of its strings if `strings` is true. Lines and
/// columns stay.
pub(crate) fn blank(text: &str, strings: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut out: Vec<char> = Vec::with_capacity(chars.len());
    let (mut i, mut depth) = (0, 0);
    while i < chars.len() {
        let c = chars[i];
        let word_before = i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_');
        let end = if depth > 0 || (c == '/' && at(i + 1) == '*') {
            // block comments nest
            match (c, at(i + 1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    out.push(if c == '\n' { '\n' } else { ' ' });
                    i += 1;
                    continue;
                }
            }
            i + 2
        } else if c == '/' && at(i + 1) == '/' {
            (i..chars.len()).find(|end| chars[*end] == '\n').unwrap_or(chars.len())
        } else if !word_before && (c == 'r' || (c == 'b' && at(i + 1) == 'r')) && raw_hashes(&chars, i).is_some() {
            let (open, hashes) = raw_hashes(&chars, i).unwrap();
            let closes = |end: usize| chars[end] == '"' && (1..=hashes).all(|hash| at(end + hash) == '#');
            let close = (open + 1..chars.len()).find(|end| closes(*end)).unwrap_or(chars.len() - 1);
            keep_or_blank(&chars[i..=close], strings, &mut out);
            i = close + 1;
            continue;
        } else if c == '"' {
            let mut close = i + 1;
            while close < chars.len() && chars[close] != '"' {
                close += if chars[close] == '\\' { 2 } else { 1 };
            }
            let close = close.min(chars.len() - 1);
            keep_or_blank(&chars[i..=close], strings, &mut out);
            i = close + 1;
            continue;
        } else if c == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            // a character; otherwise it is a lifetime
            let from = if at(i + 1) == '\\' { i + 3 } else { i + 2 };
            let close = (from..chars.len()).find(|end| chars[*end] == '\'').unwrap_or(chars.len() - 1);
            out.extend(std::iter::repeat_n(' ', close + 1 - i));
            i = close + 1;
            continue;
        } else {
            out.push(c);
            i += 1;
            continue;
        };
        out.extend(std::iter::repeat_n(' ', end - i));
        i = end;
    }
    out.into_iter().collect()
}

/// The position of the opening quote of a raw string that starts here, and the number of `#` before
/// it.
fn raw_hashes(chars: &[char], start: usize) -> Option<(usize, usize)> {
    let mut at = start + if chars[start] == 'b' { 2 } else { 1 };
    let first = at;
    while chars.get(at) == Some(&'#') {
        at += 1;
    }
    (chars.get(at) == Some(&'"')).then_some((at, at - first))
}

fn keep_or_blank(string: &[char], blanked: bool, out: &mut Vec<char>) {
    let quote = |c: &char| *c == '"' || *c == '\n';
    out.extend(string.iter().map(|c| if !blanked || quote(c) { *c } else { ' ' }));
}

/// What a line declares: whether it is public, the keyword, and the name.
pub(crate) fn declaration(line: &str) -> Option<(bool, &str, &str)> {
    let trimmed = line.trim_start();
    let (public, mut rest) = match trimmed.strip_prefix("pub ") {
        Some(rest) => (true, rest),
        None => (
            false,
            trimmed.strip_prefix("pub(").and_then(|rest| rest.split_once(") ")).map_or(trimmed, |(_, rest)| rest),
        ),
    };
    for modifier in ["const fn", "async fn", "unsafe fn"] {
        if rest.starts_with(modifier) {
            rest = &rest[modifier.len() - 2..];
        }
    }
    let (keyword, rest) = rest.split_once(' ')?;
    let known = ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod"];
    let name = rest.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (known.contains(&keyword) && !name.is_empty()).then_some((public, keyword, name))
}

/// Whether the keyword declares a type.
pub(crate) fn is_type(keyword: &str) -> bool {
    ["struct", "enum", "union", "trait", "type"].contains(&keyword)
}
