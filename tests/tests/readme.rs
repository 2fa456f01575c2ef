//! The README does what it says: its curl lines are pasted into a shell against the shop that it starts, and what comes back is
//! compared with what it shows. `…` stands for anything within a text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;

use tillgate_tests::{Engine, Installation, Running};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The fenced blocks of a page, each with its language.
fn blocks(page: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// Whether what came is what is shown, with `…` for any text between quotation marks, or for any bare value; line breaks and blanks
/// after them are the page's.
fn shown(expected: &str, came: &str) -> bool {
    let tight = |text: &str| text.lines().map(str::trim_start).collect::<Vec<_>>().concat();
    let (expected, came) = (tight(expected), tight(came));
    let mut parts = expected.split('…');
    let mut before = parts.next().unwrap_or_default();
    let Some(mut rest) = came.strip_prefix(before) else { return false };
    for part in parts {
        let end = if before.ends_with('"') { rest.find('"') } else { rest.find([',', '}']) };
        let Some(after) = rest[end.unwrap_or(rest.len())..].strip_prefix(part) else { return false };
        (rest, before) = (after, part);
    }
    rest.is_empty()
}

/// The pages whose lines are pasted, and how many of them show what they print.
const PAGES: [(&str, usize); 8] = [
    ("docs/oauth.md", 3),
    ("docs/dialects/krmpesan.md", 3),
    ("README.md", 5),
    ("docs/office.md", 5),
    ("docs/dialects/fiuu.md", 5),
    ("docs/dialects/kasir.md", 9),
    ("docs/dialects/portos.md", 12),
    ("docs/dialects/posstar.md", 6),
];

#[test]
fn the_pages_print_what_they_show() {
    for (page, lines) in PAGES {
        assert_eq!(tried(page), lines, "the lines of {page} were not found");
    }
}

fn tried(page: &str) -> usize {
    let blocks = blocks(page);
    let start = blocks.iter().position(|(_, block)| block.contains("-- demo")).unwrap();
    let demo = blocks[start].1.split_once("-- ").unwrap().1.split_whitespace().collect::<Vec<_>>();
    let shop = Installation::new(Engine::Sqlite);
    shop.secrets().note("open-the-shop");
    let server = Running::start(&shop, &demo);
    let folder = shop.folder();
    let functions = blocks.iter().filter(|(language, _)| language == "sh").flat_map(|(_, block)| block.lines());
    let defined = functions.filter(|line| line.contains("() {")).collect::<Vec<_>>().join("\n");
    let mut tried = 0;
    for pair in blocks[start + 1..].windows(2) {
        let [(sh, command), (json, expected)] = pair else { unreachable!() };
        if sh != "sh" || json != "json" {
            continue;
        }
        // Each block is pasted into the same terminal: the function that an earlier one defines is there.
        let script = format!("{defined}\n{command}").replace("http://127.0.0.1:8080", server.address());
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder).output().unwrap();
        let came = String::from_utf8(output.stdout).unwrap();
        assert!(shown(expected, &came), "{page} shows\n{expected}\nbut\n{command}\nprints\n{came}");
        tried += 1;
    }
    tried
}

#[test]
fn the_readme_embeds_what_is_compiled() {
    let example = std::fs::read_to_string(root().join("crates/auth-core/examples/embed.rs")).unwrap();
    let between = example.split_once("// [embed]\n").unwrap().1.split_once("    // [/embed]").unwrap().0;
    let compiled: Vec<&str> = between.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    let rust = blocks("README.md").into_iter().find(|(language, _)| language == "rust").unwrap().1;
    assert_eq!(rust.lines().collect::<Vec<_>>(), compiled, "README.md and examples/embed.rs differ");
}

#[test]
fn what_is_shown_is_compared_to_the_letter() {
    assert!(shown("{\"a\":\"…\",\n \"b\":1}", "{\"a\":\"x\",\"b\":1}"));
    assert!(shown("{\"a\":…,\"b\":1}", "{\"a\":null,\"b\":1}"));
    assert!(!shown("{\"a\":\"…\"}", "{\"a\":\"x\",\"b\":1}"));
    assert!(!shown("{\"a\":\"…\",\"b\":1}", "{\"a\":\"x\",\"b\":2}"));
}
