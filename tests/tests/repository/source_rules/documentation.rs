//! Public items are documented with more than their name, in lines that are easy to read.

use super::assert_none;
use super::source::{crate_sources, declaration, read_sources};

/// The shortest documentation of a public item, in words.
const MIN_DOC_WORDS: usize = 3;

/// The width of a line that is only a comment, in columns. Tables, links and code are not broken.
const MAX_COMMENT_WIDTH: usize = 100;

#[test]
fn documentation_of_public_items_has_at_least_three_words() {
    let mut found = Vec::new();
    for source in crate_sources() {
        let code: Vec<&str> = source.code.lines().collect();
        let text: Vec<&str> = source.text.lines().collect();
        // the indentation of the public enum or trait whose members these lines are
        let mut inside: Option<usize> = None;
        for (number, line) in code.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if inside == Some(indent) && line.trim_start().starts_with('}') {
                inside = None;
            }
            let declared = declaration(line);
            let member = inside.is_some_and(|outer| indent == outer + 4)
                && (declared.is_some() || line.trim_start().starts_with(|c: char| c.is_ascii_uppercase()));
            let field = line.trim_start().strip_prefix("pub ").is_some_and(|rest| {
                rest.split_once(':').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
            });
            let item = declared.is_some_and(|(public, ..)| public);
            if let Some((true, "enum" | "trait", _)) = declared
                && line.trim_end().ends_with('{')
            {
                inside = Some(indent);
            }
            if !member && !field && !item {
                continue;
            }
            let above = (0..number).rev().map(|above| text[above].trim_start());
            let about =
                above.take_while(|above| above.starts_with("///") || above.starts_with("#[") || above.ends_with(")]"));
            let documentation: Vec<&str> = about.filter_map(|above| above.strip_prefix("///")).collect();
            let is_word = |word: &&str| word.chars().any(char::is_alphanumeric);
            let words: usize = documentation.iter().map(|line| line.split_whitespace().filter(is_word).count()).sum();
            if !documentation.is_empty() && words < MIN_DOC_WORDS {
                found.push(format!("{}:{}: {}", source.path, number + 1, documentation.concat().trim()));
            }
        }
    }
    assert_none(&found, "say what the name cannot, or make the item pub(crate) and delete the comment");
}

#[test]
fn comments_are_at_most_100_columns_wide() {
    let mut found = Vec::new();
    for source in read_sources(&["crates", "tests", "fuzz"]) {
        let mut is_in_code = false;
        for (number, line) in source.text.lines().enumerate() {
            let comment = line.trim_start();
            let text = comment.trim_start_matches(['/', '!']).trim();
            is_in_code ^= comment.starts_with("//") && text.starts_with("```");
            let is_unbroken = is_in_code || text.starts_with('|') || !text.contains(' ');
            if comment.starts_with("//") && !is_unbroken && line.chars().count() > MAX_COMMENT_WIDTH {
                found.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    assert_none(&found, "break these comments at 100 columns");
}
