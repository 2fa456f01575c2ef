//! The pages of the documentation: their code blocks, and the comparison of output with what a page
//! shows.

use std::path::{Path, PathBuf};

/// A fenced code block of a page.
#[derive(Clone, Debug)]
pub struct Block {
    /// The page as a path in the repository.
    pub page: String,
    /// The line number of its fence.
    pub line: usize,
    /// The language behind the fence.
    pub language: String,
    /// The content of the block.
    pub text: String,
    /// Why the block is not run, if the line before the fence says so: `<!-- not run: REASON -->`.
    pub not_run: Option<String>,
    /// Whether only blank lines are between this block and the previous one.
    pub follows: bool,
}

impl Block {
    /// The location of the block, such as `docs/audit.md:6`.
    pub fn location(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// The root folder of the repository.
pub fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The pages for readers: the README and everything under `docs`.
pub fn list_pages() -> Vec<String> {
    fn markdown(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                markdown(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = vec![repository_root().join("README.md")];
    markdown(&repository_root().join("docs"), &mut found);
    let mut pages: Vec<String> =
        found.iter().map(|path| path.strip_prefix(repository_root()).unwrap().display().to_string()).collect();
    pages.sort();
    pages
}

/// The fenced code blocks of a page, in order, also those in list items.
pub fn read_blocks(page: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(repository_root().join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let (mut before, mut follows) = ("", false);
    let mut indentation = 0;
    for (line, number) in text.lines().zip(1..) {
        let indented = line.len() - line.trim_start().len();
        if open.is_none() {
            indentation = indented;
        }
        let line = &line[indented.min(indentation)..];
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let reason = before.strip_prefix("<!-- not run: ").and_then(|rest| rest.strip_suffix(" -->"));
                let (page, language) = (page.to_owned(), language.to_owned());
                let not_run = reason.map(str::to_owned);
                open = Some(Block { page, line: number, language, text: String::new(), not_run, follows });
            }
            (Some(_), Some(_)) => {
                blocks.extend(open.take());
                follows = true;
            }
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => follows &= line.is_empty(),
        }
        before = line;
    }
    blocks
}

/// Whether output has the lines that a page shows, in which `…` stands for any text within a line.
pub fn matches_shown_lines(expected: &str, actual: &str) -> bool {
    let fits = |(expected, actual): (&str, &str)| {
        let mut parts = expected.split('…');
        let Some(mut rest) = actual.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            let Some((_, after)) = rest.split_once(part) else { return false };
            rest = after;
        }
        rest.ends_with(last)
    };
    expected.lines().count() == actual.lines().count() && expected.lines().zip(actual.lines()).all(fits)
}
