//! A test that starts a program other than a Rust toolchain and a C compiler is ignored unless the tests run with
//! `--include-ignored`, and its `#[ignore = "requires ..."]` names the program.

use std::collections::{BTreeMap, BTreeSet};

use crate::assert_none;
use crate::source::{Source, blank, read_sources};

/// What the source of a function contains if it starts a program, and the name of the program.
const PROGRAMS: [(&str, &str); 18] = [
    ("postgres::create_database(", "PostgreSQL"),
    ("postgres::server(", "PostgreSQL"),
    ("Server::start(&[", "PostgreSQL"),
    ("DatabaseEngine::Postgres)", "PostgreSQL"),
    ("DatabaseEngine::Postgres,", "PostgreSQL"),
    ("Command::new(\"chromedriver\")", "Chromium"),
    ("Command::new(\"caddy\")", "Caddy"),
    ("unwrap_or(\"nginx\")", "nginx"),
    ("Command::new(\"promtool\")", "promtool"),
    ("Command::new(\"/usr/bin/python3\")", "Python"),
    ("\"python/bin/python\"", "Python"),
    ("Command::new(\"node\")", "Node.js"),
    ("Command::new(\"curl\")", "curl"),
    ("Command::new(\"openssl\")", "OpenSSL"),
    ("openssl s_client", "OpenSSL"),
    ("with_every_feature(", "OpenSSL"),
    ("Command::new(\"dpkg", "dpkg"),
    ("tools/bin/cargo-deb", "dpkg"),
];

/// A function of a source.
struct Function {
    path: String,
    line: usize,
    /// The type of the `impl` block, or an empty text.
    owner: String,
    name: String,
    /// Its attributes, visibility and modifiers.
    header: String,
    parameters: String,
    body: String,
}

impl Function {
    fn is_test(&self) -> bool {
        self.header.contains("#[test]")
    }

    /// Whether the function chooses the database by a parameter; then its callers pass the engine.
    fn chooses_engine(&self) -> bool {
        self.parameters.contains("DatabaseEngine")
    }

    fn takes_self(&self) -> bool {
        self.parameters.split(',').next().is_some_and(|first| is_word_in(first, "self"))
    }

    /// Whether the body mentions this function of the same crate.
    fn calls(&self, other: &Self, is_only_of_its_name: bool) -> bool {
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
fn find_words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
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
fn functions(source: &Source) -> Vec<Function> {
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

/// The programs that each function starts, by itself or by the functions that it calls.
fn required_programs(functions: &[Function]) -> Vec<BTreeSet<&'static str>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for function in functions {
        *counts.entry(&function.name).or_default() += 1;
    }
    let started = |function: &Function| {
        PROGRAMS
            .iter()
            .filter(|(start, _)| find_words(&function.body, start).next().is_some())
            .map(|(_, program)| *program)
            .collect()
    };
    let mut required: Vec<BTreeSet<&str>> = functions.iter().map(started).collect();
    loop {
        let before: usize = required.iter().map(BTreeSet::len).sum();
        for (called, function) in functions.iter().enumerate().filter(|(_, function)| !function.is_test()) {
            let mut programs = required[called].clone();
            if function.chooses_engine() {
                programs.remove("PostgreSQL");
            }
            if programs.is_empty() {
                continue;
            }
            for (caller, other) in functions.iter().enumerate() {
                if other.calls(function, counts[function.name.as_str()] == 1) {
                    required[caller].extend(&programs);
                }
            }
        }
        if required.iter().map(BTreeSet::len).sum::<usize>() == before {
            return required;
        }
    }
}

/// The invocations of `contract!(open)` without an attribute whose `open`, the function before, starts a program.
fn unmarked_contracts(source: &Source, functions: &[Function], required: &[BTreeSet<&'static str>]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.code.match_indices("contract!(") {
        let line = source.code[..at].matches('\n').count() + 1;
        let open: String =
            source.code[at..].chars().skip_while(|c| *c != '(').skip(1).take_while(|c| *c != ')').collect();
        let mut before = functions
            .iter()
            .zip(required)
            .filter(|(function, _)| function.path == source.path && function.name == open && function.line < line);
        if let Some((_, programs)) = before.next_back().filter(|(_, programs)| !programs.is_empty()) {
            found.push(format!("{}:{line}: contract!({open}) requires {programs:?}", source.path));
        }
    }
    found
}

/// The crate of a source: its functions are found by name.
fn crate_of(path: &str) -> &str {
    let depth = if path.starts_with("crates/") || path.starts_with("tests/bench/") { 2 } else { 1 };
    path.match_indices('/').nth(depth - 1).map_or(path, |(end, _)| &path[..end])
}

#[test]
fn tests_name_the_programs_that_they_require() {
    let mut crates: BTreeMap<String, Vec<Function>> = BTreeMap::new();
    let mut sources = read_sources(&["crates", "tests"]);
    sources.retain(|source| !source.path.contains("/source_rules/"));
    for source in &sources {
        crates.entry(crate_of(&source.path).to_owned()).or_default().extend(functions(source));
    }
    let (mut found, mut named) = (Vec::new(), BTreeSet::new());
    for (name, functions) in &crates {
        let required = required_programs(functions);
        for source in sources.iter().filter(|source| crate_of(&source.path) == name) {
            found.extend(unmarked_contracts(source, functions, &required));
        }
        for (function, programs) in functions.iter().zip(required) {
            if !function.is_test() {
                continue;
            }
            let location = format!("{}:{}: {}", function.path, function.line, function.name);
            let reason = function.header.split_once("#[ignore").map(|(_, rest)| rest).unwrap_or_default();
            if !reason.is_empty() && !reason.starts_with(" = \"requires ") {
                found.push(format!("{location} does not say what it requires"));
            }
            for program in programs {
                if reason.contains(program) {
                    named.insert(program);
                } else {
                    found.push(format!("{location} requires {program}"));
                }
            }
        }
    }
    assert_none(&found, "add #[ignore = \"requires PROGRAM\"], so that plain `cargo test` passes without the program");
    let known: BTreeSet<&str> = PROGRAMS.iter().map(|(_, program)| *program).collect();
    assert_eq!(named, known, "every program is required by a test");
}
