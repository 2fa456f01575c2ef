//! The functions of the sources.

use super::source::{Source, blank};

/// A function of a source.
pub(crate) struct Function {
    pub(crate) path: String,
    pub(crate) line: usize,
    /// The type of the `impl` block, or an empty text.
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Its attributes, visibility and modifiers.
    pub(crate) header: String,
    pub(crate) parameters: String,
    pub(crate) body: String,
}

impl Function {
    pub(crate) fn is_test(&self) -> bool {
        self.header.contains("#[test]")
    }

    /// Whether the function chooses the database by a parameter; then its callers pass the engine.
    pub(crate) fn chooses_engine(&self) -> bool {
        self.parameters.contains("DatabaseEngine")
    }

    pub(crate) fn takes_self(&self) -> bool {
        self.parameters.split(',').next().is_some_and(|first| is_word_in(first, "self"))
    }

    /// Whether the body mentions this function of the same crate.
    pub(crate) fn calls(&self, other: &Self, is_only_of_its_name: bool) -> bool {
        let call = format!("{}(", other.name);
        if other.takes_self() {
            return is_only_of_its_name && self.body.contains(&format!(".{call}"));
        }
        if other.owner.is_empty() {
            let is_in_reach = self.path == other.path || other.header.contains("pub");
            return is_in_reach && find_words(&self.body, &call).any(|before| !before.ends_with('.'));
        }
        self.body.contains(&format!("{}::{call}", other.owner))
            || (self.owner == other.owner && self.body.contains(&format!("Self::{call}")))
    }
}

/// The texts before each occurrence of `word` that is not the end of a longer word.
pub(crate) fn find_words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| &text[..at]).filter(move |before| !before.ends_with(is_part))
}

fn is_word_in(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

/// The position of the bracket that closes the one at `open`.
fn closing(code: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The type for which an `impl` block is written, from the text between `impl` and `{`.
fn impl_type(header: &str) -> String {
    let subject = header
        .rsplit_once(" for ")
        .map_or_else(|| header.trim_start_matches(|c| c != ' ').trim_start(), |(_, subject)| subject.trim_start());
    subject.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned()
}

/// The functions of a source. `code` has comments and strings blanked, `text` only comments.
pub(crate) fn functions(source: &Source) -> Vec<Function> {
    // the positions are those of bytes, so both texts are ASCII
    let ascii = |text: &str| text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect::<String>();
    let (code, text) = (ascii(&source.code), ascii(&blank(&source.text, false)));
    assert_eq!(code.len(), text.len(), "{}", source.path);
    let bytes = code.as_bytes();
    let blocks: Vec<(usize, usize, String)> = find_words(&code, "impl")
        .map(str::len)
        .filter(|at| code[..*at].trim_end().is_empty() || code[..*at].trim_end().ends_with(['}', ';', '{', ']']))
        .filter_map(|at| {
            let open = at + code[at..].find('{')?;
            Some((open, closing(bytes, open)?, impl_type(&code[at..open])))
        })
        .collect();
    let mut found = Vec::new();
    for at in find_words(&code, "fn ").map(str::len) {
        let name: String =
            code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || ['_', '$'].contains(c)).collect();
        let Some(open) = code[at..].find('(').map(|offset| at + offset).filter(|_| !name.is_empty()) else { continue };
        let Some(close) = closing(bytes, open) else { continue };
        let Some(start) = code[close..].find(['{', ';']).map(|offset| close + offset) else { continue };
        let Some(end) = (bytes[start] == b'{').then(|| closing(bytes, start)).flatten() else { continue };
        let header = code[..at].rfind(['{', '}', ';']).map_or(0, |before| before + 1);
        let owner = blocks.iter().rfind(|(from, to, _)| (*from..*to).contains(&at));
        found.push(Function {
            path: source.path.clone(),
            line: code[..at].matches('\n').count() + 1,
            owner: owner.map(|(_, _, owner)| owner.clone()).unwrap_or_default(),
            name,
            header: text[header..at].to_owned(),
            parameters: code[open + 1..close].to_owned(),
            body: text[start..end].to_owned(),
        });
    }
    found
}
