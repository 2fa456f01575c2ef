//! What the app may weigh.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tillgate_web::{PAGES, digest, find_asset, render_index};

const MAX_SCRIPT_LINES: usize = 6_000;
/// The declarations of the types that modules share are not served, and are read beside them.
const MAX_TYPE_LINES: usize = 250;
const MAX_STYLE_LINES: usize = 1_500;
const MAX_FILE_LINES: usize = 250;
/// The columns of a line of a module: longer ones would hide what the numbers of lines bound.
const MAX_COLUMNS: usize = 130;
const MAX_COMMENT_COLUMNS: usize = 100;
const MAX_FIRST_VISIT_REQUESTS: usize = 45;
const MAX_FIRST_VISIT_BYTES: usize = 70_000;

fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

/// Sums the lines of the files with this extension, none of which may be too long.
fn count_lines(folder: &str, extension: &str) -> usize {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), extension, &mut files);
    assert!(!files.is_empty());
    let lines = |path: &PathBuf| {
        let count = std::fs::read_to_string(path).unwrap().lines().count();
        assert!(count <= MAX_FILE_LINES, "{} has {count} lines", path.display());
        count
    };
    files.iter().map(lines).sum()
}

#[test]
fn app_is_small_enough_to_be_read() {
    let scripts = count_lines("app/src", "js");
    assert!(scripts <= MAX_SCRIPT_LINES, "{scripts} lines of scripts");
    let types = count_lines("types", "ts");
    assert!(types <= MAX_TYPE_LINES, "{types} lines of types");
    let styles = count_lines("app/styles", "css");
    assert!(styles <= MAX_STYLE_LINES, "{styles} lines of styles");
}

/// Whether a line is part of a comment alone.
fn is_comment(line: &str) -> bool {
    ["//", "/*", "*"].iter().any(|start| line.trim_start().starts_with(start))
}

#[test]
fn lines_of_modules_are_short() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("app/src"), "js", &mut files);
    assert!(!files.is_empty());
    for path in files {
        for (index, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let columns = line.chars().count();
            let bound = if is_comment(line) { MAX_COMMENT_COLUMNS } else { MAX_COLUMNS };
            assert!(columns <= bound, "{}:{} has {columns} columns", path.display(), index + 1);
        }
    }
}

/// The size of the document as it is served to a browser.
fn count_compressed_bytes(document: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(document.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn first_visit_of_every_page_is_small() {
    let base = format!("/office/a/{}/", digest());
    for page in PAGES {
        let index = render_index("/office", page);
        let document = String::from_utf8(index.bytes).unwrap();
        let preloaded = document.split("modulepreload\" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let mut paths: Vec<&str> = preloaded.map(|address| address.strip_prefix(&base).unwrap()).collect();
        paths.extend(["app.css", "icons.svg", "favicon.svg", "locales/en.json"]);
        let bytes: usize = paths.iter().map(|path| find_asset(path).unwrap().gzip().len()).sum();
        let (requests, bytes) = (paths.len() + 1, bytes + count_compressed_bytes(&document));
        assert!(requests <= MAX_FIRST_VISIT_REQUESTS, "{page}: {requests} requests");
        assert!(bytes <= MAX_FIRST_VISIT_BYTES, "{page}: {bytes} bytes");
    }
}

#[test]
fn modules_assign_no_markup_and_no_inline_style() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("app/src"), "js", &mut files);
    for path in files {
        let module = std::fs::read_to_string(&path).unwrap();
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "unsafeHTML", "style=\"", "eval(", "styleMap"]
        {
            assert!(!module.contains(forbidden), "{}: {forbidden}", path.display());
        }
    }
}
